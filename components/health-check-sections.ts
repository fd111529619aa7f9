import { encodedExecCommand } from "../systemd/exec-command.ts";
import { rootProbeSandbox } from "../systemd/sandbox.ts";
import { mergedSections } from "../systemd/sections.ts";
import { escapedSpecifiers } from "../systemd/specifiers.ts";
import type { HealthCheckPlain, HealthTestPlain } from "./health-check-args.ts";
import { everyCalendar } from "./health-check-schedule.ts";
import { type HealthProbe, healthProbes, secondsOf } from "./health-probe-args.ts";

/** What of a check's pauses is left to chance, so that hosts do not act in step. */
const jitter = 0.2;

/** Folder and file names of one stack's checks on a host, `PROJECT-STACK`. Two stacks on one machine keep apart by it. */
export function healthScope(project: string, stack: string): string {
  return `${project}-${stack}`.replaceAll(/[^A-Za-z0-9._-]/g, "_");
}

/** Where the program of a stack's checks and notifiers lies on the host. Its name tells it its scope. */
export function healthProgramPath(scope: string): string {
  return `/usr/local/lib/pulumi-systemd/health/${scope}.py`;
}

/** Where the settings of a check lie on the host. Only root reads them. */
export function healthSettingsPath(scope: string, name: string): string {
  return `/etc/pulumi-systemd/health/${scope}/${name}.json`;
}

/** The service whose one process makes all checks of a stack on a host, but for those with a service of their own. */
export function commonHealthService(scope: string): string {
  return `pulumi-systemd-health-${scope}.service`;
}

/** One check as the program on the host reads it: every default filled in, times in seconds. */
export interface HealthTestSettings {
  name: string;
  unit: string | null;
  /** All of them must be well; none means that being active is enough. */
  probes: HealthProbe[];
  dependsOn: string[];
  failAfter: number;
  failOf: number;
  graceSec: number;
  /** `restart`, `reload`, `start UNIT`. */
  actions: string[];
  maxActions: number;
  withinSec: number;
  backoffSec: number;
  backoffMaxSec: number;
  jitter: number;
  halfOpenAfterSec: number;
  remindEverySec: number;
  stableForSec: number;
  /** Whether a probe holds a secret, so that messages say less of it. */
  confidential: boolean;
}

/** What the program on the host reads of a HealthCheck. activation/health checks it again. */
export interface HealthSettings {
  format: 2;
  name: string;
  timer: string;
  service: string;
  notify: string[];
  logFile: string | null;
  checks: HealthTestSettings[];
}

/**
 * The settings of a HealthCheck. What is confidential only Pulumi knows.
 * @throws Error naming the field that is wrong
 */
export function healthSettings(scope: string, name: string, args: HealthCheckPlain): HealthSettings {
  const { checks, everySec, onCalendar, notify, logFile, description, service, timer, waive, ...own } = args;
  return {
    format: 2,
    name,
    timer: `${name}.timer`,
    service: healthServiceName(scope, name, args),
    notify: notify ?? [],
    logFile: logFile === true ? `${name}.log` : null,
    checks: checks === undefined ? [single(name, own)] : several(name, own, checks),
  };
}

/** The service that makes the checks of a HealthCheck. */
export function healthServiceName(scope: string, name: string, args: HealthCheckPlain): string {
  return args.service === undefined ? commonHealthService(scope) : `${name}.service`;
}

function single(name: string, test: HealthTestPlain): HealthTestSettings {
  if (test.dependsOn !== undefined) throw new Error("dependsOn: names checks of `checks`, which is not given");
  return testSettings(name, "", test, []);
}

function several(name: string, defaults: HealthTestPlain, checks: Record<string, HealthTestPlain>) {
  const names = Object.keys(checks);
  if (names.length === 0) throw new Error("checks: is empty; give at least one, or leave it out");
  for (const field of [
    "unit",
    "runsOf",
    "dependsOn",
    "http",
    "tcp",
    "unixSocket",
    "command",
    "file",
    "disk",
    "memory",
    "active",
  ]) {
    if (defaults[field as keyof HealthTestPlain] === undefined) continue;
    throw new Error(`${field}: is given beside checks; move it to the check that it belongs to`);
  }
  refuseCircles(checks);
  return names.map((key) => {
    const test = { ...defaults, ...withoutUndefined(checks[key] ?? {}) };
    return testSettings(`${name}/${key}`, `checks.${key}.`, test, dependencies(name, key, test, names));
  });
}

function withoutUndefined(test: HealthTestPlain): HealthTestPlain {
  return Object.fromEntries(Object.entries(test).filter(([, value]) => value !== undefined));
}

function dependencies(name: string, key: string, test: HealthTestPlain, names: readonly string[]): string[] {
  return (test.dependsOn ?? []).map((other) => {
    if (names.includes(other)) return `${name}/${other}`;
    throw new Error(
      `checks.${key}.dependsOn: there is no check ${JSON.stringify(other)}; there are ${names.join(", ")}`,
    );
  });
}

function refuseCircles(checks: Record<string, HealthTestPlain>): void {
  const done = new Set<string>();
  const visit = (key: string, above: readonly string[]) => {
    if (above.includes(key)) {
      throw new Error(
        `checks.${key}.dependsOn: goes in a circle: ${[...above.slice(above.indexOf(key)), key].join(" > ")}`,
      );
    }
    if (done.has(key)) return;
    for (const other of checks[key]?.dependsOn ?? []) visit(other, [...above, key]);
    done.add(key);
  };
  for (const key of Object.keys(checks)) visit(key, []);
}

function testSettings(name: string, at: string, test: HealthTestPlain, dependsOn: string[]): HealthTestSettings {
  const unit = test.unit?.unitName;
  const runsOf = test.runsOf?.unitName;
  if (unit !== undefined && runsOf !== undefined) {
    throw new Error(`${at}runsOf: is given beside unit; make it a check of its own, which only tells`);
  }
  const failAfter = test.failAfter ?? (runsOf === undefined ? 2 : 1);
  const failOf = test.failOf ?? failAfter;
  if (failOf < failAfter) throw new Error(`${at}failOf: is ${failOf}, less than failAfter (${failAfter})`);
  const withinSec = test.withinSec ?? "1h";
  const timeoutSec = test.timeoutSec ?? "5s";
  const graceSec = secondsOf(test.graceSec ?? (runsOf === undefined ? "30s" : "10min"));
  const probes = located(at, () => healthProbes(test, unit, timeoutSec));
  if (runsOf !== undefined) {
    probes.push({ kind: "timer", timeoutSec: secondsOf(timeoutSec), timer: runsOf, graceSec });
  }
  if (unit === undefined && probes.length === 0) {
    throw new Error(`${at}unit: is missing, and there is no probe; give a unit, a probe or both`);
  }
  return {
    name,
    unit: unit ?? null,
    probes,
    dependsOn,
    failAfter,
    failOf,
    graceSec,
    actions: actionWords(at, test),
    maxActions: test.maxActions ?? 3,
    withinSec: secondsOf(withinSec),
    backoffSec: secondsOf(test.backoffSec ?? "1min"),
    backoffMaxSec: secondsOf(test.backoffMaxSec ?? "30min"),
    jitter,
    halfOpenAfterSec: secondsOf(test.halfOpenAfterSec ?? withinSec),
    remindEverySec: secondsOf(test.remindEverySec ?? "4h"),
    stableForSec: secondsOf(test.stableForSec ?? "10min"),
    confidential: false,
  };
}

function located<T>(at: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw error instanceof Error ? new Error(`${at}${error.message}`) : error;
  }
}

function actionWords(at: string, { unit, actions, hook, rollbackWithinSec }: HealthTestPlain): string[] {
  const chosen = actions ?? (unit === undefined ? [] : ["restart" as const]);
  if (hook !== undefined && !chosen.includes("hook")) {
    throw new Error(`${at}hook: is given, but actions do not hold "hook"; write e.g. actions: ["restart", "hook"]`);
  }
  if (rollbackWithinSec !== undefined && !chosen.includes("rollback")) {
    throw new Error(
      `${at}rollbackWithinSec: is given, but actions do not hold "rollback"; write e.g. actions: ["restart", "rollback"]`,
    );
  }
  return chosen.map((action) => {
    if (action === "rollback" && unit !== undefined)
      return `rollback ${Math.round(secondsOf(rollbackWithinSec ?? "1h"))}`;
    if (action === "hook") {
      if (hook !== undefined) return `start ${hook.unitName}`;
      throw new Error(`${at}actions: hold "hook", but no hook is given; name the unit that it starts`);
    }
    if (unit !== undefined) return action;
    throw new Error(`${at}actions: hold "${action}", but no unit is given that it could be done to`);
  });
}

/** The sections of the service that makes checks. Follows systemd.service(5) and systemd.exec(5). */
export function healthServiceSections(
  scope: string,
  service: string,
  description: string,
  own: HealthCheckPlain["service"],
) {
  return mergedSections(
    {
      // Timers of several checks, and people, may start it more often than the default limit of 5 in 10 s allows.
      Unit: { Description: escapedSpecifiers(description), StartLimitIntervalSec: "0" },
      Service: {
        Type: "oneshot",
        ExecStart: [encodedExecCommand(["/usr/bin/python3", "-I", healthProgramPath(scope), "run", service])],
        // Actions are bounded by 200 s each; the run goes on while one is under way.
        TimeoutStartSec: "30min",
        NotifyAccess: "main",
        // Checks each minute would fill the journal with their starts and ends (measured: 247 writes them nevertheless).
        LogLevelMax: "notice",
        StateDirectory: `pulumi-systemd-health/${scope} pulumi-systemd-notify`,
        StateDirectoryMode: "0700",
        LogsDirectory: "pulumi-systemd-health",
        LogsDirectoryMode: "0750",
        // Where the host program holds its lock. Whoever comes first after a boot makes it.
        RuntimeDirectory: "pulumi-systemd",
        RuntimeDirectoryMode: "0700",
        RuntimeDirectoryPreserve: true,
        ...rootProbeSandbox(),
      },
    },
    { Service: own },
  );
}

/** The sections of the timer. Adding it runs nothing at once. */
export function healthTimerSections(name: string, service: string, args: HealthCheckPlain) {
  const every = args.everySec ?? (args.onCalendar === undefined ? "1min" : undefined);
  const calendars = [...(every === undefined ? [] : [everyCalendar(secondsOf(every))]), ...(args.onCalendar ?? [])];
  return mergedSections(
    {
      Unit: { Description: escapedSpecifiers(args.description ?? `Health check ${name}`) },
      Timer: { OnCalendar: calendars, AccuracySec: "1s", Unit: service },
      Install: { WantedBy: "timers.target" },
    },
    { Timer: args.timer },
  );
}

/** Where logrotate finds how it turns over the log of a HealthCheck. */
export function logRotationPath(name: string): string {
  return `/etc/logrotate.d/pulumi-systemd-health-${name}`;
}

/** What logrotate does with the log of a HealthCheck: a file each week, eight of them. */
export function logRotation(name: string): string {
  return [
    "# Managed by pulumi-systemd: changes made here are lost at the next update.",
    `/var/log/pulumi-systemd-health/${name}.log {`,
    ...["weekly", "rotate 8", "missingok", "notifempty", "compress", "delaycompress", "create 0640 root adm"].map(
      (line) => `  ${line}`,
    ),
    "}",
    "",
  ].join("\n");
}
