import type { Directive } from "./directives.ts";
import { directiveOf, nearestDirective, newestSystemd, sectionNames, sectionsOf } from "./directives.ts";
import { unwritableCharacter } from "./encodable-text.ts";
import { endsInLoneBackslash } from "./logical-lines.ts";
import { didYouMean } from "./nearest.ts";
import type { DirectiveValue, SectionDirectives, UnitSections } from "./sections.ts";
import { isList, valueText } from "./sections.ts";
import type { UnitFile } from "./unit-file.ts";
import { isUnitType, unitNameProblem } from "./unit-name.ts";
import { mayHoldSecret, valueProblem } from "./values/value.ts";

/** Something in a unit that systemd would refuse, ignore, or read otherwise than meant. */
export interface UnitProblem {
  /** Name of the unit. */
  readonly unit: string;
  /** Name of the section; "" where the unit as a whole is meant. */
  readonly section: string;
  /** Name of the directive as it was written. */
  readonly directive?: string;
  /** The value in question; absent for directives whose values may be secret. */
  readonly received?: string;
  /** Begins with the directive, where it is about one: `WatchdogSec: "90x" is not a time span: ...`. */
  readonly message: string;
  /** An error changes what the unit does; a warning is about what has no effect or will be gone. */
  readonly severity: "error" | "warning";
}

/** What a unit is checked against. */
export interface ValidationOptions {
  /** systemd of the target, such as 252. @default any version from 247 on */
  readonly systemd?: number | undefined;
}

/** All assignments of one directive in one section. */
interface Assignment {
  readonly section: string;
  readonly name: string;
  readonly values: readonly (string | number | boolean)[];
  /** Whether a person gave a list; in a file, whether it is assigned more than once. */
  readonly repeated: "list" | "lines" | undefined;
}

/**
 * All that is wrong with a unit, found without a host: its name, sections that its type does not have, unknown, misspelt,
 * misplaced, too new and obsolete directives, bad values, lists where one value belongs. Names that begin with `X-` are
 * free, as in systemd. An empty list means that systemd takes every line as it is meant.
 */
export function unitProblems(
  unitName: string,
  sections: UnitSections,
  options: ValidationOptions = {},
): readonly UnitProblem[] {
  const written = Object.entries(sections).filter(([, directives]) => directives !== undefined);
  return [
    ...nameProblems(unitName),
    ...written.flatMap(([section, directives]) => sectionProblems(unitName, section, directives ?? {}, options)),
  ];
}

/** `unitProblems` for a unit file or drop-in as it was parsed. */
export function unitFileProblems(
  unitName: string,
  file: UnitFile,
  options: ValidationOptions = {},
): readonly UnitProblem[] {
  const grouped = new Map<string, Map<string, string[]>>();
  for (const { name, entries } of file.sections) {
    const section = grouped.get(name) ?? new Map<string, string[]>();
    grouped.set(name, section);
    for (const { key, value } of entries) section.set(key, [...(section.get(key) ?? []), value]);
  }
  const found = [...grouped].flatMap(([section, directives]) => {
    const unknown = unknownSection(unitName, section);
    if (unknown !== undefined) return [unknown];
    return [...directives].flatMap(([name, values]) => {
      const repeated = values.length > 1 ? "lines" : undefined;
      return directiveProblems(unitName, { section, name, values, repeated }, options);
    });
  });
  return [...nameProblems(unitName), ...found];
}

/**
 * All that is wrong with one section of a unit.
 * @param unitName Only its suffix matters here.
 */
export function sectionProblems(
  unitName: string,
  section: string,
  directives: SectionDirectives,
  options: ValidationOptions = {},
): readonly UnitProblem[] {
  const unknown = unknownSection(unitName, section);
  if (unknown !== undefined) return [unknown];
  return Object.entries(directives).flatMap(([name, value]) =>
    value === undefined ? [] : directiveProblems(unitName, assignmentOf(section, name, value), options),
  );
}

function assignmentOf(section: string, name: string, value: DirectiveValue): Assignment {
  return isList(value)
    ? { section, name, values: value, repeated: "list" }
    : { section, name, values: [value], repeated: undefined };
}

function nameProblems(unit: string): UnitProblem[] {
  const message = unitNameProblem(unit);
  return message === undefined ? [] : [{ unit, section: "", message, severity: "error" }];
}

function unitTypeOf(unitName: string): string {
  return unitName.slice(unitName.lastIndexOf(".") + 1);
}

function unknownSection(unit: string, section: string): UnitProblem | undefined {
  if (!/^[^\p{Cc}[\]"'\\]+$/u.test(section)) {
    return { unit, section, message: `${JSON.stringify(section)} is no name of a section`, severity: "error" };
  }
  const type = unitTypeOf(unit);
  const accepted = isUnitType(type) ? sectionsOf(type) : sectionNames;
  if (section.startsWith("X-") || accepted.includes(section)) return undefined;
  const sections = accepted.map((name) => `[${name}]`).join(", ");
  const reason = sectionNames.includes(section)
    ? `a ${type} unit has no section [${section}]; it takes ${sections}`
    : `[${section}] is no section of a ${type} unit; it takes ${sections}${didYouMean(section, accepted)}`;
  return { unit, section, message: reason, severity: "error" };
}

function directiveProblems(unit: string, assignment: Assignment, options: ValidationOptions): UnitProblem[] {
  const { section, name } = assignment;
  const report = (severity: UnitProblem["severity"], message: string): UnitProblem => ({
    unit,
    section,
    directive: name,
    message: `${name}: ${message}`,
    severity,
  });
  if (!/^[^\s=[\]#;]+$/.test(name)) {
    return [{ ...report("error", ""), message: `${JSON.stringify(name)} is no name of a directive` }];
  }
  const lines = assignment.values.map((value, index) => lineProblem(value, place(assignment, index)));
  const broken = lines.filter((message) => message !== undefined).map((message) => report("error", message));
  if (broken.length > 0 || name.startsWith("X-") || section.startsWith("X-")) return broken;

  const directive = directiveOf(section, name);
  if (directive === undefined) return [unknownDirective(unit, assignment, options, report)];
  return [
    ...tableProblems(directive, options, report),
    ...listProblems(directive, assignment, report),
    ...assignment.values.flatMap((value, index) => {
      const found = numberProblem(directive, value) ?? textProblem(directive, valueText(value), options);
      if (found === undefined) return [];
      const problem = report(found.severity, `${place(assignment, index)}${found.message}`);
      return mayHoldSecret(directive) ? [problem] : [{ ...problem, received: valueText(value) }];
    }),
  ];
}

type Report = (severity: UnitProblem["severity"], message: string) => UnitProblem;

/** What one line of a unit file cannot hold, whatever the directive. Does not echo the value. */
function lineProblem(value: string | number | boolean, where: string): string | undefined {
  if (typeof value === "number" && !Number.isFinite(value)) return `${where}${value} is not a finite number`;
  const text = valueText(value);
  if (/[\n\r]/.test(text)) {
    return `${where}the value holds a line break; an assignment is one line. Give a list for several assignments, or write \\n where the directive takes C escapes`;
  }
  const found = unwritableCharacter(text);
  if (found !== undefined) return `${where}the value holds ${found.what}, which systemd refuses`;
  if (endsInLoneBackslash(text)) {
    return `${where}the value ends in a backslash, which would join the next line to it; write it doubled and in quotes`;
  }
  return undefined;
}

function unknownDirective(
  unit: string,
  assignment: Assignment,
  options: ValidationOptions,
  report: Report,
): UnitProblem {
  const { section, name } = assignment;
  const type = unitTypeOf(unit);
  const nearest = nearestDirective(section, name, [...sectionsOf(type), ...sectionNames]);
  if (nearest === undefined) {
    const isNewer = (options.systemd ?? 0) > newestSystemd;
    return report(
      isNewer ? "warning" : "error",
      `[${section}] has no directive of this name in systemd up to ${newestSystemd}; names that begin with X- are free`,
    );
  }
  const isOwn = nearest.section === section;
  const isOfUnit = isOwn || sectionsOf(type).includes(nearest.section);
  const place = isOfUnit ? `[${nearest.section}]` : `[${nearest.section}] of a ${nearest.section.toLowerCase()} unit`;
  if (nearest.name === name) return report("error", `it belongs in ${place}, not in [${section}]`);
  const inPlace = isOwn ? "" : ` in ${place}`;
  return report(
    "error",
    `[${section}] has no directive of this name; did you mean ${JSON.stringify(nearest.name)}${inPlace}?`,
  );
}

/** What the table says of the directive itself: too new, gone, without effect, replaced. */
function tableProblems(directive: Directive, { systemd }: ValidationOptions, report: Report): UnitProblem[] {
  const { since, removedAfter, legacyUse, obsolete } = directive;
  const instead = legacyUse === undefined ? "" : `; write ${legacyUse}`;
  if (obsolete === true) return [report("warning", "it has no effect any more; leave it out")];
  if (systemd !== undefined && since > systemd) {
    return [
      report("error", `it needs systemd ${since}, the target has ${systemd}; leave it out or choose a newer target`),
    ];
  }
  if (removedAfter !== undefined) {
    const isGone = systemd !== undefined && systemd > removedAfter;
    return systemd === undefined || isGone
      ? [report(isGone ? "error" : "warning", `only systemd up to ${removedAfter} knows it${instead}`)]
      : [];
  }
  return legacyUse === undefined ? [] : [report("warning", `it is an old form${instead}`)];
}

function listProblems(directive: Directive, { values, repeated }: Assignment, report: Report): UnitProblem[] {
  if (directive.list || repeated === undefined) return [];
  if (repeated === "list") return [report("error", `it takes one value, not a list; got ${values.length} items`)];
  const isReset = values.slice(0, -1).every((value) => value === "");
  return isReset ? [] : [report("warning", `it is assigned ${values.length} times; systemd takes the last one`)];
}

function textProblem(
  directive: Directive,
  text: string,
  { systemd }: ValidationOptions,
): { readonly severity: UnitProblem["severity"]; readonly message: string } | undefined {
  if (text === "") {
    if (directive.empty === "ignored") {
      return {
        severity: "warning",
        message: "systemd ignores an empty assignment here and keeps what was set; leave it out",
      };
    }
    if (directive.empty === "adds-nothing") {
      return {
        severity: "warning",
        message: "an empty assignment takes nothing back here, dependencies can only be added; leave it out",
      };
    }
    return undefined;
  }
  const message = valueProblem(directive, text, systemd);
  return message === undefined ? undefined : { severity: "error", message };
}

/** A number has lost the digits that it was written with, and those of a mode are octal. */
function numberProblem(
  { kind }: Directive,
  value: string | number | boolean,
): { readonly severity: "error"; readonly message: string } | undefined {
  if (kind !== "mode" || typeof value !== "number") return undefined;
  return {
    severity: "error",
    message: `the number ${value} is no mode; write its octal digits in quotes, such as '0660' (without quotes YAML makes 432 of it)`,
  };
}

/** Which item of a list is meant, where there are several. */
function place({ values }: Assignment, index: number): string {
  return values.length > 1 ? `item ${index + 1} of ${values.length}: ` : "";
}
