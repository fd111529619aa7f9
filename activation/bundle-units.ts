import { parseUnitFile } from "../systemd/unit-file.ts";
import { type BundleGate, type BundleUnit, unitName } from "./bundle.ts";
import { unitDigests } from "./digests.ts";
import { unitFacts } from "./unit-facts.ts";

/** A unit before it is known what else is on its host. */
export interface UnitDefinition {
  readonly name: string;
  /** Exact text of the unit file. */
  readonly text: string;
  /** `started` or `on-demand`. */
  readonly activation: string;
  readonly restartOnFiles: readonly string[];
  /** Default: none. */
  readonly reloadOnFiles?: readonly string[];
  readonly restartOnReleases: readonly string[];
  /** Directories that are removed with it. Default: none. */
  readonly purge?: readonly string[];
  /** Sockets, timers and paths that can start it; those of the same host are found by their text as well. */
  readonly triggeredBy: readonly string[];
  /** `auto`, `restart`, `reload` or `none`. */
  readonly onChange: string;
  readonly settleSec: number;
}

/** Where a unit of ours lies on a host. */
export function unitPath(name: string): string {
  return `/etc/systemd/system/${name}`;
}

/**
 * The units of one host as its bundle has them: with everything that the host program would else have to guess.
 * @param gates health gates by the name of their unit
 */
export function bundleUnits(
  units: readonly UnitDefinition[],
  gates: ReadonlyMap<string, BundleGate> = new Map(),
): BundleUnit[] {
  const known = units.map((unit) => ({ unit, facts: unitFacts(unit.name, unit.text) }));
  const names = new Map(units.map((unit) => [unit.name, unit.name]));
  for (const { unit, facts } of known) {
    for (const alias of facts.aliases) if (!names.has(alias)) names.set(alias, unit.name);
  }
  return known.map(({ unit, facts }) => {
    const triggers = known.filter(({ facts: { triggers } }) => triggers.includes(unit.name));
    return {
      name: unit.name,
      path: unitPath(unit.name),
      content: unit.text,
      digests: unitDigests(unit.text),
      activation: unit.activation === "started" ? "started" : "on-demand",
      enabled: parseUnitFile(unit.text).sections.some((section) => section.name === "Install"),
      restartOn: { files: [...unit.restartOnFiles], releases: [...unit.restartOnReleases] },
      reloadOn: { files: [...(unit.reloadOnFiles ?? [])] },
      purge: [...(unit.purge ?? [])],
      triggeredBy: [
        ...new Set([...unit.triggeredBy, ...facts.sockets, ...triggers.map((trigger) => trigger.unit.name)]),
      ].sort(),
      stopsWith: [
        ...new Set([
          ...facts.stopsWith.flatMap((name) => names.get(name) ?? []),
          ...known.filter((other) => other.facts.requiredBy.includes(unit.name)).map((other) => other.unit.name),
        ]),
      ].sort(),
      stopPropagatedFrom: known
        .filter(({ unit: other, facts: of }) => {
          return facts.stopPropagatedFrom.includes(other.name) || of.propagatesStopTo.includes(unit.name);
        })
        .map(({ unit: other }) => other.name)
        .sort(),
      bindsTo: facts.bindsTo.filter((name) => unitName.safeParse(name).success),
      canReload: facts.canReload,
      isJob: unit.name.endsWith(".service") && facts.isJob,
      countsFromThePast: facts.countsFromThePast,
      memoryMax: facts.memoryMax,
      // The Unit's schema admits only these words.
      onChange: unit.onChange as BundleUnit["onChange"],
      settleSec: unit.settleSec,
      gate: gates.get(unit.name) ?? null,
    };
  });
}
