import { positionInLine } from "../unit-file.ts";
import type { LintFinding } from "./finding.ts";
import type { Lint, LintHit } from "./lint.ts";
import { type LintedUnit, type LintUnit, lintedUnit } from "./linted-unit.ts";
import { fragmentLints, lints } from "./registry.ts";
import { type LintOptions, unitSet } from "./unit-set.ts";
import { type LintUnitText, readUnits } from "./unit-texts.ts";

export type { LintFinding, LintSeverity } from "./finding.ts";
export type { AcrossLint, Lint, OwnLint } from "./lint.ts";
export type { LintUnit } from "./linted-unit.ts";
export { lints } from "./registry.ts";
export type { LintOptions } from "./unit-set.ts";
export type { LintUnitText } from "./unit-texts.ts";

/**
 * All that is wrong with the units of a host, found without the host: what systemd refuses or ignores, what does not do
 * what it says, and what is known to go wrong in practice (docs/lints.md). In the order of the units, then of their lines.
 *
 * Given together, units are also looked at across: timers and their services, sockets, dependencies. What only the host
 * knows (its other units, its files and users) is never taken for missing.
 */
export function lintUnits(units: readonly LintUnit[], options: LintOptions = {}): LintFinding[] {
  return findingsByUnit(units, options).flat();
}

/**
 * `lintUnits` for texts of unit files and drop-ins; each unit is looked at with its drop-ins. A text that systemd refuses as
 * a whole has one finding, `syntax-error`. In the order of the texts, then of their lines.
 */
export function lintUnitTexts(texts: readonly LintUnitText[], options: LintOptions = {}): LintFinding[] {
  const { units, refused } = readUnits(texts);
  const place = new Map(texts.map(({ name }, index) => [name, index]));
  return [...refused, ...findingsByUnit(units, options).flat()].toSorted(
    (a, b) => (place.get(a.file ?? a.unit) ?? 0) - (place.get(b.file ?? b.unit) ?? 0),
  );
}

function findingsByUnit(units: readonly LintUnit[], options: LintOptions): readonly (readonly LintFinding[])[] {
  const linted = units.map(lintedUnit);
  const set = unitSet(linted, options);
  const wanted = lints.filter(
    ({ across }) => options.scope === undefined || (options.scope === "across") === (across ?? false),
  );
  return linted.map((unit) => {
    const found: { readonly lint: Lint; readonly hit: LintHit; readonly place: readonly [number, number] }[] = [];
    for (const lint of unit.isFragment === true ? wanted.filter((each) => fragmentLints.has(each)) : wanted) {
      for (const hit of lint.hits(unit, set)) found.push({ lint, hit, place: placeOf(unit, hit) });
    }
    return found
      .toSorted((a, b) => a.place[0] - b.place[0] || a.place[1] - b.place[1])
      .map(({ lint, hit }) => finding(unit, lint, hit));
  });
}

function finding(unit: LintedUnit, lint: Lint, hit: LintHit): LintFinding {
  const section =
    hit.at?.section ?? (hit.sectionIndex === undefined ? undefined : unit.file.sections[hit.sectionIndex]?.name);
  return {
    unit: unit.name,
    ...fileOf(unit, hit),
    ...(section === undefined ? {} : { section }),
    ...(hit.at === undefined ? {} : { directive: hit.at.key, index: hit.at.index }),
    ...position(unit, hit),
    rule: lint.id,
    severity: hit.severity ?? lint.severity,
    message: hit.message,
    fix: hit.fix ?? lint.fix,
  };
}

/** Where a unit has several files, the one that a finding stands in; what is missing, is missing in the first. */
function fileOf({ origins }: LintedUnit, hit: LintHit): Pick<LintFinding, "file"> {
  const file = hit.origin ?? origins?.[hit.at?.sectionIndex ?? hit.sectionIndex ?? 0];
  return file === undefined ? {} : { file };
}

/** For the order: section and entry, or the line before all else. */
function placeOf(unit: LintedUnit, hit: LintHit): readonly [number, number] {
  if (hit.at !== undefined) return [hit.at.sectionIndex, hit.at.entryIndex];
  if (hit.sectionIndex !== undefined) return [hit.sectionIndex, -1];
  if (hit.line === undefined || unit.positions === undefined) return [-1, hit.line ?? 0];
  const line = hit.line;
  const section = unit.positions.findLastIndex(
    (position, index) => position.line <= line && (hit.origin === undefined || unit.origins?.[index] === hit.origin),
  );
  return [section, (unit.positions[section]?.entries.findLastIndex((entry) => entry.line <= line) ?? -1) + 0.5];
}

function position(unit: LintedUnit, hit: LintHit): Pick<LintFinding, "line" | "column" | "endColumn"> {
  if (hit.line !== undefined) return { line: hit.line };
  if (hit.at === undefined) {
    const section = hit.sectionIndex === undefined ? undefined : unit.positions?.[hit.sectionIndex];
    const name = hit.sectionIndex === undefined ? "" : (unit.file.sections[hit.sectionIndex]?.name ?? "");
    return section === undefined
      ? {}
      : { line: section.line, column: section.column, endColumn: section.column + name.length + 2 };
  }
  const entry = unit.positions?.[hit.at.sectionIndex]?.entries[hit.at.entryIndex];
  if (entry === undefined) return {};
  if (hit.mark === "key") {
    return { line: entry.line, column: entry.column, endColumn: entry.column + hit.at.key.length };
  }
  const { start, end } =
    hit.mark === undefined || hit.mark === "value" ? { start: 0, end: hit.at.value.length } : hit.mark;
  const place = positionInLine(entry.value, start);
  const next = entry.value.find(({ offset }) => offset > start)?.offset ?? Number.POSITIVE_INFINITY;
  // The blank in place of a joined line end belongs to no line.
  const length = Math.min(end, next - 1) - start;
  return { ...place, endColumn: place.column + Math.max(length, 1) };
}
