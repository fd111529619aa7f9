import { encodedExecCommand } from "../systemd/exec-command.ts";
import { rootProbeSandbox } from "../systemd/sandbox.ts";
import { mergedSections } from "../systemd/sections.ts";
import { healthProgramPath } from "./health-check-sections.ts";
import type { NotifierPlain } from "./notifier-args.ts";

/** Where the settings of a notifier lie on the host. They hold its secrets; only root reads them. */
export function notifierSettingsPath(name: string): string {
  return `/etc/pulumi-systemd/notify/${name}.json`;
}

/** What a mail server's own `sendmail` needs: it becomes another user by a set-user-ID or set-group-ID bit. */
const forSendmail = {
  NoNewPrivileges: false,
  CapabilityBoundingSet: ["CAP_SETUID CAP_SETGID CAP_CHOWN CAP_FOWNER CAP_DAC_OVERRIDE CAP_FSETID"],
  RestrictSUIDSGID: false,
  SystemCallFilter: ["@system-service"],
  ReadWritePaths: ["-/var/spool", "-/var/mail", "-/var/log"],
} as const;

/**
 * The sections of the unit that sends what waits. It ends when nothing waits. It reads answers from the network, so it
 * sees neither the socket by which root commands systemd nor the message bus.
 */
export function deliverySections(scope: string, name: string, args: NotifierPlain) {
  return mergedSections(
    {
      Unit: {
        Description: `Send the messages of ${name}`,
        Wants: ["network-online.target"],
        After: ["network-online.target"],
        // It is started for each event, and an event may not wait because there were many.
        StartLimitIntervalSec: "0",
        ConditionDirectoryNotEmpty: `/var/lib/pulumi-systemd-notify/${name}`,
      },
      Service: {
        Type: "exec",
        ExecStart: [encodedExecCommand(["/usr/bin/python3", "-I", healthProgramPath(scope), "deliver", name])],
        Restart: "on-failure",
        RestartSec: "1min",
        TimeoutStopSec: "10s",
        LogLevelMax: "notice",
        StateDirectory: `pulumi-systemd-notify/${name}`,
        StateDirectoryMode: "0700",
        LoadCredential: [`${name}.json:${notifierSettingsPath(name)}`],
        ...rootProbeSandbox(),
        InaccessiblePaths: ["-/run/systemd/private", "-/run/dbus"],
        ...(args.sendmail === undefined ? {} : forSendmail),
      },
      // What waited when the machine went down is sent after it came up.
      Install: { WantedBy: "multi-user.target" },
    },
    { Service: args.service },
  );
}

/** The sections of the template that `OnFailure=NAME@%n.service` starts: it keeps the message, and has it sent. */
export function failureSections(scope: string, name: string) {
  return mergedSections(
    {
      Unit: { Description: `Tell ${name} of the failure of %i`, StartLimitIntervalSec: "0" },
      Service: {
        Type: "oneshot",
        ExecStart: [`${encodedExecCommand(["/usr/bin/python3", "-I", healthProgramPath(scope), "failed", name])} %i`],
        TimeoutStartSec: "2min",
        LogLevelMax: "notice",
        StateDirectory: `pulumi-systemd-notify/${name}`,
        StateDirectoryMode: "0700",
        ...rootProbeSandbox(),
      },
    },
    {},
  );
}
