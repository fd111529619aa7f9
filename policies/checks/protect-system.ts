import type { UnitModel } from "../../systemd/sections.ts";
import { parsedBoolean } from "../../systemd/values/boolean.ts";
import type { Finding } from "./finding.ts";
import { isOn, isRefused, shown, valueInForce } from "./service-directives.ts";

/** What `protectSystemFindings` may accept. */
export interface ProtectSystemLimits {
  /** The weakest value that passes. */
  readonly minimum: "full" | "strict";
}

/** Weakest first; `no` is none of them. */
const strengths: readonly (string | undefined)[] = ["yes", "full", "strict"];

/**
 * A service for which too much of the file system is writable. `DynamicUser=yes` implies `ProtectSystem=strict`
 * (systemd.exec(5)), so a unit with it passes unless it says the opposite.
 */
export function protectSystemFindings(unit: UnitModel, { minimum }: ProtectSystemLimits): readonly Finding[] {
  const value = valueInForce(unit, "ProtectSystem");
  const wanted = minimum === "full" ? "full or strict" : "strict";
  if (isOn(unit, "DynamicUser")) {
    if (!isRefused(unit, "ProtectSystem")) return [];
    const why = "DynamicUser=yes overrides it, but the system would be writable as soon as that line goes";
    return [{ found: shown("ProtectSystem", value), wanted, why }];
  }
  if (strengthOf(value) >= strengths.indexOf(minimum)) return [];
  return [{ found: shown("ProtectSystem", value), wanted, why: `its processes could write to ${writable(value)}` }];
}

function strengthOf(value: string | undefined): number {
  const spelled = value !== undefined && parsedBoolean(value) === true ? "yes" : value;
  return strengths.indexOf(spelled);
}

function writable(value: string | undefined): string {
  if (value === "full") return "everything but /usr, /boot and /etc, as far as their user may";
  if (strengthOf(value) === strengths.indexOf("yes")) return "/etc, as far as their user may";
  return "/usr, /boot and /etc, as far as their user may";
}
