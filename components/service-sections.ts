import { encodedEnvironment } from "../systemd/environment.ts";
import { encodedExecCommand } from "../systemd/exec-command.ts";
import { profileSandbox } from "../systemd/profiles.ts";
import type { SectionDirectives, UnitSections } from "../systemd/sections.ts";
import { mergedSections } from "../systemd/sections.ts";
import { escapedSpecifiers } from "../systemd/specifiers.ts";
import { withProbesBeside } from "./ready-when.ts";
import type { ServicePlain } from "./service-args.ts";
import { credentialDirective, credentialNames, credentialPath } from "./service-credentials.ts";
import { ofInstance } from "./service-instances.ts";
import { defaultStartFailureMode } from "./start-failure.ts";

/** Where the secret variables of a service lie on the host. Only root reads it. */
export function secretEnvironmentPath(name: string): string {
  return `/etc/pulumi-systemd/${name}.env`;
}

/**
 * The sections of a service: arguments, then defaults that keep it running and contained, then the user's own directives.
 * Follows systemd.service(5) and systemd.exec(5).
 * @param name the component's name; also the name of its StateDirectory
 * @param instance name of the instance, for a service that has some: its StateDirectory is `NAME@INSTANCE`
 * @param scope of the stack's health program, which makes the probes of `readyWhen`
 */
export function serviceSections(name: string, common: ServicePlain, instance?: string, scope = ""): UnitSections {
  const args = { ...common, ...ofInstance(instanceTexts(common), instance) };
  const ownName = instance === undefined ? name : `${name}@${instance}`;
  const isAsked = args.readyWhen !== undefined;
  const type = args.type ?? (args.watchdogSec === undefined && !isAsked ? "exec" : "notify");
  const exec = isAsked ? withProbesBeside(scope, `${ownName}.service`, args.exec) : args.exec;
  const restarts = type !== "oneshot" || args.restart !== undefined;
  const defaults: UnitSections = {
    Unit: {
      Description: escapedSpecifiers(args.description ?? ownName),
      Documentation: args.documentation?.join(" "),
      Requires: wordsOf(args.requires, args.socket && [args.socket.unitName]),
      Wants: wordsOf(args.wants),
      After: wordsOf(
        args.after ?? ["network.target"],
        args.requires,
        args.wants,
        args.socket && [args.socket.unitName],
      ),
      // A service that fails fast keeps being tried: what it needs may come back in an hour, at night.
      StartLimitIntervalSec: restarts ? "0" : undefined,
    },
    Service: {
      Type: type,
      ...accountDirectives(args),
      WorkingDirectory: args.workingDirectory && escapedSpecifiers(args.workingDirectory),
      Environment: args.environment && encodedEnvironment(args.environment),
      EnvironmentFile: [
        ...(args.environmentFiles ?? []).map(escapedSpecifiers),
        ...(args.secretEnvironment === undefined ? [] : [secretEnvironmentPath(name)]),
      ],
      [credentialDirective(args)]: credentialNames(args).map(
        (credential) => `${credential}:${credentialPath(name, credential)}`,
      ),
      ExecStart: [encodedExecCommand(exec)],
      ExecReload: reloadCommand(args),
      Sockets: args.socket?.unitName,
      NotifyAccess: type === "notify" ? (isAsked ? "all" : "main") : undefined,
      WatchdogSec: args.watchdogSec,
      Restart: restarts ? (args.restart ?? "on-failure") : undefined,
      RestartSec: restarts ? (args.restartSec ?? "5s") : undefined,
      TimeoutStartSec: args.timeoutStartSec,
      TimeoutStartFailureMode: args.timeoutStartFailureMode ?? defaultStartFailureMode(type, args),
      TimeoutStopSec: args.timeoutStopSec,
      StateDirectory: ownName,
      ...profileDirectives(args),
    },
    Install: args.onDemand ? undefined : { WantedBy: "multi-user.target" },
  };
  return mergedSections(withoutEmptyLists(defaults), {
    Unit: args.unit,
    Service: args.service,
    Install: args.install,
  });
}

/** What may tell one instance from another. */
function instanceTexts({ description, exec, environment, environmentFiles, workingDirectory }: ServicePlain) {
  return { description, exec, environment, environmentFiles, workingDirectory };
}

/** The shell has its own kill; a program of that name is not on every host. */
function reloadCommand({ reload, reloadSignal }: ServicePlain): string[] | undefined {
  if (reloadSignal === undefined) return reload && [encodedExecCommand(reload)];
  return [encodedExecCommand(["/bin/sh", "-c", `kill -s ${reloadSignal.replace(/^SIG/, "")} "$MAINPID"`])];
}

function accountDirectives(args: ServicePlain): SectionDirectives {
  const overridden = args.service?.User !== undefined || args.service?.DynamicUser !== undefined;
  if (args.user === undefined) return overridden ? {} : { DynamicUser: true };
  return { User: args.user, Group: args.group };
}

/** The profile; code under /home is out of sight with ProtectHome=yes, so a service that lives there gets to read it. */
function profileDirectives(args: ServicePlain): SectionDirectives {
  const profile = profileSandbox(args.profile ?? "network-server");
  const paths = [args.workingDirectory, ...args.exec.slice(0, 1)];
  const isAtHome = paths.some((path) => path !== undefined && /^\/(home|root)(\/|$)/.test(path));
  return isAtHome && profile.ProtectHome === "yes" ? { ...profile, ProtectHome: "read-only" } : profile;
}

function wordsOf(...lists: (readonly string[] | undefined)[]): string | undefined {
  const words = [...new Set(lists.flatMap((list) => list ?? []))];
  return words.length > 0 ? words.join(" ") : undefined;
}

function withoutEmptyLists(sections: UnitSections): UnitSections {
  return Object.fromEntries(
    Object.entries(sections).map(([section, directives]) => [
      section,
      directives &&
        Object.fromEntries(
          Object.entries(directives).filter(([, value]) => !(Array.isArray(value) && value.length === 0)),
        ),
    ]),
  );
}
