import type { UnitModel } from "../../systemd/sections.ts";
import type { Finding } from "./finding.ts";
import { serviceType, shown, valueInForce } from "./service-directives.ts";

/** The values of `Restart=` that start a service again after some kind of failure (systemd.service(5)). */
export const restartsAfterFailure = ["always", "on-failure", "on-abnormal", "on-abort", "on-watchdog"] as const;

/** What `restartFindings` accepts. */
export interface RestartLimits {
  /** Values of `Restart=` that pass. */
  readonly accept: readonly string[];
}

/** A long-running service that stays down after a crash. `Type=oneshot` ends by itself and passes. */
export function restartFindings(unit: UnitModel, { accept }: RestartLimits): readonly Finding[] {
  if (serviceType(unit) === "oneshot") return [];
  const value = valueInForce(unit, "Restart");
  if (accept.some((accepted) => accepted === value)) return [];
  const why = "a service that crashes would stay down until somebody notices";
  return [{ found: shown("Restart", value), wanted: alternatives(accept), why }];
}

function alternatives(words: readonly string[]): string {
  return [words.slice(0, -1).join(", "), words.at(-1)].filter((part) => part !== "").join(" or ");
}
