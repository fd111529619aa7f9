import { badnessOf } from "./exposure/badness.ts";
import { exposureFacts, ratings } from "./exposure/facts.ts";
import { settingsOf } from "./exposure/settings.ts";
import type { Architecture } from "./exposure/system-call-filter.ts";
import { booleanOf } from "./exposure/value.ts";
import type { UnitModel } from "./sections.ts";
import type { UnitEntry, UnitFile } from "./unit-file.ts";

export { exposureDirectives } from "./exposure/settings.ts";

/** One test of the exposure score. */
export interface ExposureTest {
  /** As the tool shows it: `PrivateTmp=`, `CapabilityBoundingSet=~CAP_SYS_ADMIN`. */
  readonly id: string;
  /** Whether the test is fully good; null: it does not apply to this service. */
  readonly set: boolean | null;
  /** From 0 (good) to `range` (worst); null: it does not apply. */
  readonly badness: number | null;
  readonly range: number;
  readonly weight: number;
  /** The share of the unit's score that the tool shows beside the test, one decimal; null: good, or does not apply. */
  readonly exposure: number | null;
  /** What the service can do; only while the test is not good. */
  readonly description?: string;
  /** A line that makes the test good, to be added to the unit. Only while it is not good. */
  readonly improve?: { readonly section: "Service"; readonly directive: string; readonly value: string };
  /** What may stop working then, and the way out. Only while it is not good. */
  readonly mayBreak?: string;
}

/** The exposure of a service, as `systemd-analyze security` gives it. */
export interface Exposure {
  readonly unit: string;
  /** From 0.0 (sealed) to 10.0 (open), one decimal. */
  readonly exposure: number;
  /** The tool's word for it: PERFECT, SAFE, OK, MEDIUM, EXPOSED, UNSAFE, DANGEROUS. */
  readonly rating: string;
  /** All 81 tests of systemd 252 to 257, in the tool's table order. */
  readonly tests: readonly ExposureTest[];
}

export interface ExposureOptions {
  /**
   * The systemd whose `systemd-analyze security --offline=yes` is to be met exactly; known are 252 to 257. From 253 on,
   * that tool takes an unset `PrivateMounts=` for a good one, although it is not.
   *
   * @default 252, which also is what every version says of a loaded service
   */
  readonly systemd?: number;
  /**
   * Machine of the host: some groups of system calls are empty on aarch64.
   *
   * @default "x86_64"
   */
  readonly architecture?: Architecture;
}

/**
 * The exposure of a service: what `systemd-analyze security` (systemd-analyze(1)) says of its unit file. Entries count in
 * their order, so put those of drop-ins behind those of the unit.
 *
 * @throws {RangeError} if the unit is not a service: the tool scores no other type.
 */
export function exposureOf(unitName: string, file: UnitFile, options: ExposureOptions = {}): Exposure {
  if (!unitName.endsWith(".service"))
    throw new RangeError(`exposure of unit ${JSON.stringify(unitName)}: only services (NAME.service) have a score`);
  const { systemd = 252, architecture = "x86_64" } = options;
  const settings = settingsOf(entriesOf(file, "Service"), systemd);
  const bare = lastBoolean(entriesOf(file, "Unit"), "DefaultDependencies") === false;

  const judged = exposureFacts.map((fact) => ({
    fact,
    badness:
      bare && fact.onlyWithDefaultDependencies ? null : badnessOf(fact.assess, settings, { systemd, architecture }),
  }));
  const weightSum = judged.reduce((sum, { fact, badness }) => sum + (badness === null ? 0 : fact.weight), 0);
  const badSum = judged.reduce(
    (sum, { fact, badness }) => sum + Math.ceil(((badness ?? 0) * fact.weight) / fact.range),
    0,
  );
  const tenfold = Math.ceil((badSum * 100) / weightSum);
  return {
    unit: unitName,
    exposure: tenfold / 10,
    rating: ratings.find(({ from }) => tenfold >= from)?.name ?? "PERFECT",
    tests: judged.map(({ fact, badness }) => {
      const test = { id: fact.id, badness, range: fact.range, weight: fact.weight };
      if (badness === null || badness === 0) return { ...test, set: badness === null ? null : true, exposure: null };
      return {
        ...test,
        set: false,
        exposure: Math.ceil(Math.ceil((badness * fact.weight * 100) / fact.range) / weightSum) / 10,
        description: `the service ${fact.risk}`,
        ...(fact.improve === undefined ? {} : { improve: { section: "Service", ...fact.improve } }),
        mayBreak: fact.mayBreak,
      };
    }),
  };
}

/** `exposureOf` for a unit in the form that policies see. @throws {RangeError} if the unit is not a service. */
export function exposureOfSections(unitName: string, model: UnitModel, options: ExposureOptions = {}): Exposure {
  const sections = Object.entries(model).map(([name, directives]) => ({
    name,
    entries: Object.entries(directives).flatMap(([key, values]): UnitEntry[] =>
      typeof values === "string" ? [{ key, value: values }] : values.map((value) => ({ key, value })),
    ),
  }));
  return exposureOf(unitName, { sections }, options);
}

function entriesOf(file: UnitFile, section: string): readonly UnitEntry[] {
  return file.sections.filter(({ name }) => name === section).flatMap(({ entries }) => entries);
}

function lastBoolean(entries: readonly UnitEntry[], key: string): boolean | undefined {
  return entries
    .filter((entry) => entry.key === key)
    .map(({ value }) => booleanOf(value))
    .findLast((value) => value !== undefined);
}
