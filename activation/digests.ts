import { createHash } from "node:crypto";
import type { UnitModel } from "../systemd/sections.ts";
import { parseUnitFile, unitModel } from "../systemd/unit-file.ts";
import type { BundleDigests } from "./bundle.ts";

/**
 * Directives that a daemon-reload applies to a running unit: the manager reads them when it next starts, stops, restarts
 * or reloads the unit, and the running processes do not depend on them (measured on systemd 247, 252 and 257).
 * Whatever is not listed here needs a restart, so a directive that a later systemd brings is on the safe side.
 */
export const reloadedByManager: Readonly<Record<string, ReadonlySet<string>>> = {
  Unit: new Set([
    "After",
    "Before",
    "CollectMode",
    "Description",
    "Documentation",
    "IgnoreOnIsolate",
    "OnFailure",
    "OnFailureJobMode",
    "OnSuccess",
    "OnSuccessJobMode",
    "RefuseManualStart",
    "RefuseManualStop",
    "SourcePath",
    "StartLimitAction",
    "StartLimitBurst",
    "StartLimitIntervalSec",
    "StopWhenUnneeded",
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
    "TimeoutStartSec",
    "TimeoutStopSec",
  ]),
};

/** Names that systemd ignores on purpose; ours carry digests of things that a reload or a restart must follow. */
const reloadTrigger = "X-Pulumi-Reload-Trigger";
const restartTrigger = "X-Pulumi-Restart-Trigger";

/**
 * The digests that decide what a change of this unit needs on a host.
 * @param text the exact bytes of the unit file
 */
export function unitDigests(text: string): BundleDigests {
  const model = unitModel(parseUnitFile(text));
  return {
    file: sha256(text),
    restart: modelDigest(model, (section, key) => {
      if (section === "Install") return false;
      if (key.startsWith("X-")) return key === restartTrigger;
      return !(reloadedByManager[section]?.has(key) ?? false);
    }),
    reload: modelDigest(model, (_section, key) => key === reloadTrigger),
    install: modelDigest(model, (section) => section === "Install"),
  };
}

/** SHA-256 of a text's UTF-8 bytes in lower-case hex. */
export function sha256(text: string | Uint8Array): string {
  return createHash("sha256").update(text).digest("hex");
}

function modelDigest(model: UnitModel, counts: (section: string, key: string) => boolean): string {
  const counted = Object.entries(model)
    .filter(([section]) => !section.startsWith("X-"))
    .flatMap(([section, directives]) =>
      Object.entries(directives)
        .filter(([key]) => counts(section, key))
        .map(([key, value]) => [section, key, value] as const),
    )
    .sort(([sectionA, keyA], [sectionB, keyB]) => (`${sectionA}\0${keyA}` < `${sectionB}\0${keyB}` ? -1 : 1));
  return sha256(JSON.stringify(counted));
}
