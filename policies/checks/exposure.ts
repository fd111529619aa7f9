import { type ExposureTest, exposureOfSections } from "../../systemd/exposure.ts";
import type { UnitModel } from "../../systemd/sections.ts";
import type { Finding } from "./finding.ts";
import { assignments } from "./service-directives.ts";

/** What `exposureFindings` accepts. */
export interface ExposureLimits {
  /** The highest score of `systemd-analyze security` that passes, 0.0 (sealed) to 10.0 (open). */
  readonly maximum: number;
}

/** How many directives a finding proposes. */
const proposals = 4;

/** Tests that only a service without any network can pass: proposed last. */
const isolating: ReadonlySet<string> = new Set([
  "PrivateNetwork=",
  "IPAddressDeny=",
  "RestrictAddressFamilies=~AF_(INET|INET6)",
  "RestrictAddressFamilies=~AF_UNIX",
]);

/**
 * A service whose exposure, as `systemd-analyze security` scores it, is above the ceiling. The finding names the directives
 * that would lower the score most, each with what it would gain.
 * @param name the unit's file name, which ends in `.service`
 */
export function exposureFindings(name: string, unit: UnitModel, { maximum }: ExposureLimits): readonly Finding[] {
  const { exposure, rating, tests } = exposureOfSections(name, unit);
  if (exposure <= maximum) return [];
  const found = `exposure ${exposure.toFixed(1)} (${rating})`;
  return [{ found, wanted: `at most ${maximum.toFixed(1)}`, why: proposal(unit, tests) }];
}

function proposal(unit: UnitModel, tests: readonly ExposureTest[]): string {
  const usual = ranked(unit, tests, (test) => !isolating.has(test.id)).slice(0, proposals);
  const offline = ranked(unit, tests, (test) => isolating.has(test.id)).slice(0, proposals - usual.length);
  const ways = [
    ...(usual.length > 0 ? [`by ${usual.map(shownGain).join(", ")}`] : []),
    ...(offline.length > 0 ? [`if it needs no network, by ${offline.map(shownGain).join(", ")}`] : []),
  ];
  return ways.length > 0
    ? `the score would fall most ${ways.join("; ")}`
    : "no directive alone would lower the score by 0.1, so it takes several";
}

interface Proposal {
  /** `PrivateTmp=yes`, or `SystemCallFilter=` where it takes more than one value. */
  readonly assignment: string;
  /** Points of the score. */
  readonly gain: number;
}

function ranked(
  unit: UnitModel,
  tests: readonly ExposureTest[],
  counts: (test: ExposureTest) => boolean,
): readonly Proposal[] {
  return proposalsOf(unit, tests, tests.filter(counts))
    .filter(({ gain }) => Number(gain.toFixed(1)) > 0)
    .sort((a, b) => b.gain - a.gain);
}

function shownGain({ assignment, gain }: Proposal): string {
  return `${assignment} (-${gain.toFixed(1)})`;
}

function proposalsOf(unit: UnitModel, tests: readonly ExposureTest[], group: readonly ExposureTest[]): Proposal[] {
  const before = points(tests);
  const ways = group.map(({ improve }) => improve).filter((way) => way !== undefined);
  return [...new Set(ways.map(({ directive }) => directive))].map((directive) => {
    const values = new Set(ways.filter((way) => way.directive === directive).map(({ value }) => value));
    const [value, ...others] = values;
    const improved = {
      ...unit,
      Service: { ...unit.Service, [directive]: [...assignments(unit, directive), ...values] },
    };
    return {
      assignment: `${directive}=${others.length === 0 ? value : ""}`,
      gain: before - points(exposureOfSections("improved.service", improved).tests),
    };
  });
}

/** The score before it is rounded. */
function points(tests: readonly ExposureTest[]): number {
  const scored = tests.filter(({ badness }) => badness !== null);
  const bad = scored.reduce((sum, { badness, weight, range }) => sum + ((badness ?? 0) * weight) / range, 0);
  return (bad * 10) / scored.reduce((sum, { weight }) => sum + weight, 0);
}
