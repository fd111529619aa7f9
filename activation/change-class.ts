import { bytesProblem } from "../systemd/values/bytes.ts";

/**
 * What it takes until a running unit has a changed directive:
 * - `manager`: daemon-reload. The manager itself reads it when it next starts, stops, reloads or restarts the unit.
 * - `limits`: daemon-reload, which writes the cgroup of the running unit (systemd 257 only once a unit starts in the same
 *   slice, so the host program starts an empty one). A lower `MemoryMax=` is the exception: see `isLowered`.
 * - `reload`, `restart`: the unit's own processes must do something.
 * - `install`: `systemctl reenable`.
 * - `nothing`: systemd ignores it on purpose.
 */
export type ChangeClass = "nothing" | "manager" | "limits" | "reload" | "restart" | "install";

/**
 * Directives that the manager reads when it next acts on a unit; what runs does not depend on them (systemd.unit(5),
 * systemd.service(5)). Whatever is not listed here needs a restart, so a directive that a later systemd brings is on the
 * safe side.
 */
export const reloadedByManager: Readonly<Record<string, ReadonlySet<string>>> = {
  Unit: new Set([
    "After",
    "AllowIsolate",
    "Before",
    "CollectMode",
    "Description",
    "Documentation",
    "FailureAction",
    "FailureActionExitStatus",
    "IgnoreOnIsolate",
    "JobRunningTimeoutSec",
    "JobTimeoutAction",
    "JobTimeoutRebootArgument",
    "JobTimeoutSec",
    "OnFailure",
    "OnFailureJobMode",
    "OnSuccess",
    "OnSuccessJobMode",
    "PartOf",
    "PropagatesReloadTo",
    "RebootArgument",
    "RefuseManualStart",
    "RefuseManualStop",
    "ReloadPropagatedFrom",
    "SourcePath",
    "StartLimitAction",
    "StartLimitBurst",
    "StartLimitIntervalSec",
    "StopPropagatedFrom",
    "StopWhenUnneeded",
    "SuccessAction",
    "SuccessActionExitStatus",
    "Upholds",
  ]),
  Service: new Set([
    "ExecReload",
    "ExecStop",
    "ExecStopPost",
    "FinalKillSignal",
    "KillMode",
    "KillSignal",
    "ReloadSignal",
    "Restart",
    "RestartForceExitStatus",
    "RestartKillSignal",
    "RestartMaxDelaySec",
    "RestartMode",
    "RestartPreventExitStatus",
    "RestartSec",
    "RestartSteps",
    "SendSIGHUP",
    "SendSIGKILL",
    "SuccessExitStatus",
    "TimeoutAbortSec",
    "TimeoutSec",
    "TimeoutStartFailureMode",
    "TimeoutStartSec",
    "TimeoutStopFailureMode",
    "TimeoutStopSec",
  ]),
  // A socket stays open when only the service behind it changes: the plan restarts the services.
  Socket: new Set([
    "MaxConnections",
    "MaxConnectionsPerSource",
    "RemoveOnStop",
    "Service",
    "TimeoutSec",
    "TriggerLimitBurst",
    "TriggerLimitIntervalSec",
  ]),
};

/** Limits whose cgroup file was seen to change under a running unit, on systemd 247, 252 and 257. */
export const liveLimits: ReadonlySet<string> = new Set([
  "CPUQuota",
  "CPUQuotaPeriodSec",
  "CPUWeight",
  "IOReadBandwidthMax",
  "IOReadIOPSMax",
  "IOWriteBandwidthMax",
  "IOWriteIOPSMax",
  "MemoryHigh",
  "MemoryLow",
  "MemoryMax",
  "MemoryMin",
  "MemorySwapMax",
  "MemoryZSwapMax",
  "TasksMax",
]);

/** Names that systemd ignores on purpose; ours carry digests of things that a reload or a restart must follow. */
const ownTriggers: Readonly<Record<string, ChangeClass>> = {
  "X-Pulumi-Reload-Trigger": "reload",
  "X-Pulumi-Restart-Trigger": "restart",
};

/**
 * What a change of one directive needs.
 * @param values what is assigned, or was: a share of the host's memory cannot be compared, so it needs a restart
 */
export function changeClass(section: string, key: string, values: readonly string[]): ChangeClass {
  if (section.startsWith("X-")) return "nothing";
  if (section === "Install") return "install";
  if (key.startsWith("X-")) return ownTriggers[key] ?? "nothing";
  if (reloadedByManager[section]?.has(key)) return "manager";
  if ((section === "Service" || section === "Slice") && liveLimits.has(key)) {
    return key === "MemoryMax" && values.some(isShare) ? "restart" : "limits";
  }
  return "restart";
}

/**
 * Whether a limit of memory goes down. The kernel kills what is above a new `memory.max` at once (measured), so such a
 * change is a restart: the process ends in order, and begins anew below the limit.
 * @param before bytes, null for no limit
 */
export function isLowered(before: number | null, after: number | null): boolean {
  return after !== null && (before === null || after < before);
}

function isShare(value: string): boolean {
  return value !== "" && value !== "infinity" && bytesProblem(value) !== undefined;
}
