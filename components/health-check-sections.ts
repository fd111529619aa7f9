import { encodedExecCommand } from "../systemd/exec-command.ts";
import { rootProbeSandbox } from "../systemd/sandbox.ts";
import { mergedSections } from "../systemd/sections.ts";
import { escapedSpecifiers } from "../systemd/specifiers.ts";
import { formattedTimeSpan, parsedTimeSpan } from "../systemd/values/time-span.ts";
import type { HealthCheckPlain } from "./health-check-args.ts";

/** Seconds for the restart that a check waits for, as activation/health bounds it, and for its questions to systemd. */
const restartSec = 300;

/** Where the program of a check lies on the host. */
export function healthProgramPath(name: string): string {
  return `/usr/local/lib/pulumi-systemd/health/${name}.py`;
}

/** Where the settings of a check lie on the host. Only root reads them. */
export function healthSettingsPath(name: string): string {
  return `/etc/pulumi-systemd/health/${name}.json`;
}

/** One probe as the program on the host reads it. */
export type HealthProbe =
  | { kind: "http"; url: string; status: number | null; contains: string | null }
  | { kind: "tcp"; host: string; port: number }
  | { kind: "command"; command: string[] };

/** What the program on the host reads: every default filled in, times in seconds. activation/health checks it again. */
export interface HealthSettings {
  format: 1;
  name: string;
  unit: string;
  /** All of them must be well; none means that being active is enough. */
  probes: HealthProbe[];
  timeoutSec: number;
  failAfter: number;
  graceSec: number;
  maxRestarts: number;
  withinSec: number;
  backoffSec: number;
  /** Whether a probe holds a secret, so that messages say less of it. */
  confidential: boolean;
}

/** The settings of a check. Whether they are confidential only Pulumi knows. */
export function healthSettings(name: string, args: HealthCheckPlain): HealthSettings {
  return {
    format: 1,
    name,
    unit: args.unit.unitName,
    probes: probesOf(args),
    timeoutSec: seconds(args.timeoutSec ?? "5s"),
    failAfter: args.failAfter ?? 2,
    graceSec: seconds(args.graceSec ?? "30s"),
    maxRestarts: args.maxRestarts ?? 3,
    withinSec: seconds(args.withinSec ?? "1h"),
    backoffSec: seconds(args.backoffSec ?? "1min"),
    confidential: false,
  };
}

function probesOf({ http, tcp, command }: HealthCheckPlain): HealthProbe[] {
  const probes: (HealthProbe | undefined)[] = [
    http && {
      kind: "http",
      url: requestUrl(http.url),
      status: http.status ?? null,
      contains: http.contains ?? null,
    },
    tcp && { kind: "tcp", host: tcp.host ?? "127.0.0.1", port: tcp.port },
    command && { kind: "command", command },
  ];
  return probes.filter((probe) => probe !== undefined);
}

/** The URL as it goes over the wire: ASCII, percent-encoded, without a fragment. */
function requestUrl(text: string): string {
  const parsed = new URL(text);
  parsed.hash = "";
  return parsed.href;
}

function seconds(span: string): number {
  return parsedTimeSpan(span) / 1e6;
}

/** The sections of the service that makes one check. Follows systemd.service(5) and systemd.exec(5). */
export function healthServiceSections(name: string, args: HealthCheckPlain) {
  const bound = Math.ceil(seconds(args.timeoutSec ?? "5s")) + restartSec;
  return mergedSections(
    {
      Unit: { Description: descriptionOf(args) },
      Service: {
        Type: "oneshot",
        ExecStart: [encodedExecCommand(["/usr/bin/python3", "-I", healthProgramPath(name), healthSettingsPath(name)])],
        TimeoutStartSec: formattedTimeSpan(bound * 1e6),
        NotifyAccess: "main",
        SyslogIdentifier: name,
        // A check each minute would fill the journal with its starts and ends (measured: 247 writes them nevertheless).
        LogLevelMax: "notice",
        StateDirectory: `pulumi-systemd-health/${name}`,
        StateDirectoryMode: "0700",
        // Where the host program holds its lock. Whoever comes first after a boot makes it.
        RuntimeDirectory: "pulumi-systemd",
        RuntimeDirectoryMode: "0700",
        RuntimeDirectoryPreserve: true,
        ...rootProbeSandbox(),
      },
    },
    { Service: args.service },
  );
}

/** The sections of the timer. Its first check comes one pause after it is started, never at once. */
export function healthTimerSections(name: string, args: HealthCheckPlain) {
  const every = args.everySec ?? (args.onCalendar === undefined ? "1min" : undefined);
  return mergedSections(
    {
      Unit: { Description: descriptionOf(args) },
      Timer: {
        OnActiveSec: every && [every],
        OnUnitInactiveSec: every && [every],
        OnCalendar: args.onCalendar === undefined ? undefined : [args.onCalendar],
        AccuracySec: "1s",
        Unit: `${name}.service`,
      },
      Install: { WantedBy: "timers.target" },
    },
    { Timer: args.timer },
  );
}

function descriptionOf(args: HealthCheckPlain): string {
  return escapedSpecifiers(args.description ?? `Health check of ${args.unit.unitName}`);
}
