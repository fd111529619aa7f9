import type { UnitModel } from "../../systemd/sections.ts";
import type { Finding } from "./finding.ts";
import { shown, valueInForce } from "./service-directives.ts";

/** The limits that can be asked for, and what goes wrong without each. */
const harms = {
  MemoryMax: "a leak takes the memory of all that runs on the host, and the kernel ends what it likes",
  TasksMax: "a fork bomb takes the process table of the host",
  CPUQuota: "a busy loop takes the processors of the host",
} as const;

/** Names of the limits that can be asked for. */
export const limitNames = Object.keys(harms) as readonly (keyof typeof harms)[];

/** What `resourceLimitFindings` asks for. */
export interface ResourceLimits {
  /** Directives of [Service] that must hold a limit. */
  readonly require: readonly (keyof typeof harms)[];
}

/** A service without a limit on what it takes of the host. Follows systemd.resource-control(5). */
export function resourceLimitFindings(unit: UnitModel, { require }: ResourceLimits): readonly Finding[] {
  return require.flatMap((directive) => {
    const value = valueInForce(unit, directive);
    if (value !== undefined && value !== "infinity") return [];
    return [{ found: shown(directive, value), wanted: "a limit", why: harms[directive] }];
  });
}
