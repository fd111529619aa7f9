import { capabilityNames } from "./facts.ts";
import { wordsBeforeFault } from "./value.ts";

/** All 64 bits: systemd's "nothing assigned yet" for CapabilityBoundingSet=. */
export const allCapabilities = (1n << 64n) - 1n;
export const noCapabilities = 0n;

const numbers = new Map(capabilityNames.map((name, number) => [name, number]));

/** A set of capabilities as a bit mask, by name or number; unknown ones count for nothing. */
export function capabilityMask(names: readonly string[]): bigint {
  return names.reduce((mask, name) => {
    const number = /^\d+$/.test(name) ? Number(name) : numbers.get(name.toUpperCase());
    return number === undefined || number >= 63 ? mask : mask | (1n << BigInt(number));
  }, noCapabilities);
}

/** The set after one more assignment to CapabilityBoundingSet= (initial: all) or AmbientCapabilities= (initial: none). */
export function capabilitiesAfter(value: string, set: bigint, initial: bigint): bigint {
  const invert = value.startsWith("~");
  const named = capabilityMask(wordsBeforeFault(invert ? value.slice(1) : value));
  if (named === noCapabilities || set === initial) return invert ? allCapabilities & ~named : named;
  return invert ? set & ~named : set | named;
}
