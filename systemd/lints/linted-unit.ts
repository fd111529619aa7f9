import { directiveOf } from "../directives.ts";
import type { SectionPosition, UnitFile, UnitNote } from "../unit-file.ts";
import { parsedBoolean } from "../values/boolean.ts";
import { parsedTimeSpan, TimeSpanError } from "../values/time-span.ts";
import { wordsOf } from "../values/value-check.ts";

/** A unit to look at, as `parseUnitFileWithNotes` gives it. */
export interface LintUnit {
  /** With suffix, such as `api.service`. */
  readonly name: string;
  readonly file: UnitFile;
  /** Without it, findings have no line and column. */
  readonly positions?: readonly SectionPosition[];
  /** Lines that systemd ignores. */
  readonly notes?: readonly (UnitNote & { readonly origin?: string })[];
  /** The file that each section comes from, for a unit with drop-ins; same order and length as `file.sections`. */
  readonly origins?: readonly string[];
  /** Only drop-ins are known: what is not there may stand in the unit itself. @default false */
  readonly isFragment?: boolean;
}

/** One `Key=Value` line of a unit. */
export interface Assignment {
  readonly section: string;
  readonly key: string;
  readonly value: string;
  /** Which assignment of the key in sections of that name, from 0. */
  readonly index: number;
  /** Index into `file.sections`. */
  readonly sectionIndex: number;
  /** Index into the section's entries. */
  readonly entryIndex: number;
}

/** A unit with its assignments by `Section.Key`. */
export interface LintedUnit extends LintUnit {
  /** Suffix without the dot, `service`. */
  readonly type: string;
  /** Name of the section of its own type, `Service`. */
  readonly ownSection: string;
  /** Name without suffix; of a template and an instance also without `@` and what follows. */
  readonly prefix: string;
  /** What stands between `@` and the suffix; "" for a template, undefined for a plain unit. */
  readonly instance: string | undefined;
  readonly assignments: ReadonlyMap<string, readonly Assignment[]>;
}

/** A unit as the lints read it. */
export function lintedUnit(unit: LintUnit): LintedUnit {
  const assignments = new Map<string, Assignment[]>();
  unit.file.sections.forEach(({ name: section, entries }, sectionIndex) => {
    entries.forEach(({ key, value }, entryIndex) => {
      const id = `${section}.${key}`;
      const before = assignments.get(id);
      const assignment = { section, key, value, index: before?.length ?? 0, sectionIndex, entryIndex };
      if (before === undefined) assignments.set(id, [assignment]);
      else before.push(assignment);
    });
  });
  const dot = unit.name.lastIndexOf(".");
  const at = unit.name.indexOf("@");
  const type = unit.name.slice(dot + 1);
  const isPlain = at < 0 || at > dot;
  return {
    ...unit,
    type,
    ownSection: `${type.charAt(0).toUpperCase()}${type.slice(1)}`,
    prefix: unit.name.slice(0, isPlain ? dot : at),
    instance: isPlain ? undefined : unit.name.slice(at + 1, dot),
    assignments,
  };
}

/** All assignments of a directive, resets included. @param id Such as `Service.ExecStart`. */
export function assignmentsOf(unit: LintedUnit, id: string): readonly Assignment[] {
  return unit.assignments.get(id) ?? none;
}

const none: readonly Assignment[] = [];

/** The assignments of a list directive that count: those behind the last empty one. */
export function itemsOf(unit: LintedUnit, id: string): readonly Assignment[] {
  const all = unit.assignments.get(id);
  if (all === undefined) return none;
  const isReset = !empty(id, "adds-nothing");
  const last = isReset ? all.findLastIndex(({ value }) => value === "") : -1;
  return all.slice(last + 1).filter(({ value }) => value !== "");
}

/** The assignment of a directive with one value that counts: the last one, none if that is empty and resets. */
export function settingOf(unit: LintedUnit, id: string): Assignment | undefined {
  const all = unit.assignments.get(id);
  if (all === undefined) return undefined;
  const last = empty(id, "ignored") ? all.findLast(({ value }) => value !== "") : all.at(-1);
  return last === undefined || last.value === "" ? undefined : last;
}

/** The value of a directive with one value, or undefined where it has none. */
export function textOf(unit: LintedUnit, id: string): string | undefined {
  return settingOf(unit, id)?.value;
}

/** Whether a boolean directive, or one that takes booleans besides words, is switched on; also by such a word. */
export function isOn(unit: LintedUnit, id: string): boolean {
  const value = textOf(unit, id);
  return value !== undefined && parsedBoolean(value) !== false;
}

/** Whether a boolean directive is set to no. */
export function isOff(unit: LintedUnit, id: string): boolean {
  const value = textOf(unit, id);
  return value !== undefined && parsedBoolean(value) === false;
}

/** A time span in microseconds; undefined where it is not set or is none. */
export function spanOf(unit: LintedUnit, id: string): number | undefined {
  const value = textOf(unit, id);
  return value === undefined ? undefined : spanIn(value);
}

/** A time span in microseconds, or undefined where the text is none. */
export function spanIn(text: string): number | undefined {
  try {
    return parsedTimeSpan(text);
  } catch (error) {
    if (error instanceof TimeSpanError) return undefined;
    throw error;
  }
}

/** One word of a list directive. */
export interface ListWord {
  readonly word: string;
  readonly at: Assignment;
}

const noWords: readonly ListWord[] = [];

/** The words of a list directive that count; none of an assignment that cannot be split. */
export function listWordsOf(unit: LintedUnit, id: string): readonly ListWord[] {
  const items = itemsOf(unit, id);
  if (items.length === 0) return noWords;
  return items.flatMap((at) => {
    const words = /["'\\]/.test(at.value) ? wordsOf(at.value) : at.value.split(/[ \t]+/);
    return typeof words === "string" ? [] : words.map((word) => ({ word, at }));
  });
}

/** Where a finding about a section as a whole belongs: the unit's own section, else the first. */
export function ownSectionIndex(unit: LintedUnit): number {
  return Math.max(
    unit.file.sections.findIndex(({ name }) => name === unit.ownSection),
    0,
  );
}

/** `Key=value`, as messages quote an assignment whose value is no secret. */
export function quoted({ key, value }: Assignment): string {
  return `${key}=${value.length > 80 ? `${value.slice(0, 80)}...` : value}`;
}

function empty(id: string, kind: "adds-nothing" | "ignored"): boolean {
  const dot = id.indexOf(".");
  return directiveOf(id.slice(0, dot), id.slice(dot + 1))?.empty === kind;
}
