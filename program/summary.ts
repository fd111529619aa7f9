import type { HostReceipt } from "../components/index.ts";

/** What a person reads of one host after an update. */
export interface HostSummary {
  /** Counts the states that the host has had. */
  generation: number;
  /** Major version of systemd. */
  systemd: number;
  /** State of each unit by its name, such as `active (running)`. */
  units: Record<string, string>;
  /** What the last transaction did, one line for each unit: `restart api.service: restart digest differs`. */
  did: string[];
}

/**
 * The part of a receipt that is worth a person's time at every update; it is the same while nothing changes. Words where
 * there is none because the host's update failed and the others went on.
 */
export function hostSummary(receipt: HostReceipt | undefined): HostSummary | string {
  if (receipt === undefined) return "not updated: its update failed";
  return {
    generation: receipt.generation,
    systemd: receipt.systemd,
    units: Object.fromEntries(receipt.units.map((unit) => [unit.name, `${unit.activeState} (${unit.subState})`])),
    did: receipt.actions
      .filter(({ action }) => action !== "none")
      .map(({ unit, action, reasons }) => `${action} ${unit}${reasons.length > 0 ? `: ${reasons.join(", ")}` : ""}`),
  };
}
