import { directiveOf } from "./directives.ts";
import type {
  InstallDirectives,
  PathDirectives,
  ServiceDirectives,
  SocketDirectives,
  TimerDirectives,
  UnitDirectives,
} from "./sections.generated.ts";
import type { UnitEntry, UnitFile, UnitSection } from "./unit-file.ts";

export type {
  ExecDirectives,
  InstallDirectives,
  KillDirectives,
  PathDirectives,
  ResourceControlDirectives,
  ServiceDirectives,
  SocketDirectives,
  TimerDirectives,
  UnitDirectives,
} from "./sections.generated.ts";
export type { UnitModel } from "./unit-model.ts";

/** A directive's value as a person writes it: a scalar, or a list for a directive that is assigned more than once. */
export type DirectiveValue = string | number | boolean | readonly (string | number | boolean)[];

/** Directives of one section by their exact systemd name, in the order in which they are written. */
export type SectionDirectives = Readonly<Record<string, DirectiveValue | undefined>>;

/** A unit by section: `{ Unit: { Description: "x" }, Service: { ExecStart: ["/bin/true"] } }`. */
export type UnitSections = Readonly<Record<string, SectionDirectives | undefined>>;

/** The sections of a unit with every directive typed. */
export interface TypedUnitSections {
  readonly Unit?: UnitDirectives | undefined;
  readonly Service?: ServiceDirectives | undefined;
  readonly Socket?: SocketDirectives | undefined;
  readonly Timer?: TimerDirectives | undefined;
  readonly Path?: PathDirectives | undefined;
  readonly Install?: InstallDirectives | undefined;
}

/** Typed sections as the functions of this room take them: the same values, sections without a value left out. */
export function unitSections(typed: TypedUnitSections): UnitSections {
  const { Unit, Service, Socket, Timer, Path, Install } = typed;
  const sections: UnitSections = {
    Unit: Unit && { ...Unit },
    Service: Service && { ...Service },
    Socket: Socket && { ...Socket },
    Timer: Timer && { ...Timer },
    Path: Path && { ...Path },
    Install: Install && { ...Install },
  };
  return Object.fromEntries(Object.entries(sections).filter(([, directives]) => directives !== undefined));
}

/**
 * One value as systemd reads it: `yes` and `no` for booleans, decimal digits for numbers, text as it is.
 * @throws RangeError for a number that is not finite.
 */
export function valueText(value: string | number | boolean): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return value;
  if (!Number.isFinite(value)) throw new RangeError(`a directive takes a finite number, got ${value}`);
  return /e/.test(String(value)) ? decimalText(value) : String(value);
}

/** The texts of a directive's assignments in order: none for undefined and an empty list, else one for each item. */
export function assignedTexts(value: DirectiveValue | undefined): readonly string[] {
  if (value === undefined) return [];
  return isList(value) ? value.map(valueText) : [valueText(value)];
}

/** Whether a value is a list. */
export function isList(value: DirectiveValue): value is readonly (string | number | boolean)[] {
  return Array.isArray(value);
}

/**
 * The unit file of these sections: `[Unit]` first, `[Install]` last, the others between in the order of the record;
 * directives in the order of theirs. A list becomes one assignment for each item, undefined and an empty list none; an
 * empty text is written as an empty assignment, which resets most directives. Sections without an assignment are left
 * out. Nothing is checked: see `unitProblems`.
 * @throws RangeError for a number that is not finite.
 */
export function unitFileOf(sections: UnitSections): UnitFile {
  const names = Object.keys(sections);
  const ordered = [
    ...names.filter((name) => name === "Unit"),
    ...names.filter((name) => name !== "Unit" && name !== "Install"),
    ...names.filter((name) => name === "Install"),
  ];
  return {
    sections: ordered
      .map((name): UnitSection => ({ name, entries: entriesOf(sections[name] ?? {}) }))
      .filter(({ entries }) => entries.length > 0),
  };
}

/**
 * The base with a person's own directives over it. An override takes the place of the base's directive, new directives
 * and sections come last, undefined leaves the base.
 *
 * A directive of the base is taken out again by an empty list, for one that is assigned more than once, and by an empty
 * text for any other, so that systemd's own default holds. For a list directive an empty text (`""` or `[""]`) is an
 * empty assignment and is kept, because that may mean something else: `CapabilityBoundingSet=` leaves no capability at
 * all.
 */
export function mergedSections(base: UnitSections, overrides: UnitSections): UnitSections {
  const names = [...new Set([...Object.keys(base), ...Object.keys(overrides)])];
  const merged = names.map((name) => [name, mergedSection(name, base[name], overrides[name])] as const);
  return Object.fromEntries(merged.filter(([, directives]) => directives !== undefined));
}

function mergedSection(
  section: string,
  base: SectionDirectives | undefined,
  overrides: SectionDirectives | undefined,
): SectionDirectives | undefined {
  if (base === undefined || overrides === undefined) return base ?? overrides;
  const merged = new Map(Object.entries(base));
  for (const [name, value] of Object.entries(overrides)) {
    if (value === undefined) continue;
    if (removes(section, name, value)) merged.delete(name);
    else merged.set(name, value);
  }
  return Object.fromEntries(merged);
}

function removes(section: string, name: string, value: DirectiveValue): boolean {
  if (isList(value)) return value.length === 0;
  return value === "" && directiveOf(section, name)?.list === false;
}

function entriesOf(directives: SectionDirectives): readonly UnitEntry[] {
  return Object.entries(directives).flatMap(([key, value]) =>
    assignedTexts(value).map((text) => ({ key, value: text })),
  );
}

function decimalText(value: number): string {
  return Number.isInteger(value) ? BigInt(value).toString() : value.toFixed(20).replace(/0+$/, "");
}
