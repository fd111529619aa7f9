import type { LintUnit } from "../systemd/lints/lint-units.ts";
import { type Assignment, type LintedUnit, lintedUnit } from "../systemd/lints/linted-unit.ts";
import type { Waiver } from "../systemd/lints/waiver.ts";
import type { UnitModel } from "../systemd/sections.ts";
import { parseUnitFile, type UnitFile, type UnitSection, unitModel } from "../systemd/unit-file.ts";
import { type Reading, reading, UnknownValueError } from "./unknown-values.ts";

/** A unit as the rules read it. */
export interface CheckedUnit {
  /** File name. */
  readonly name: string;
  /** Of the resource that brings it. */
  readonly urn: string;
  /** Whole text; undefined where it is not known before the update. */
  readonly text: string | undefined;
  /** Reading a directive that is not known throws UnknownValueError; going through all of them leaves it out. */
  readonly model: UnitModel;
  /** The same as lints read it. */
  readonly linted: LintedUnit;
  /** Directives that are not known, `Service.User`. */
  readonly unknown: ReadonlySet<string>;
  /** What its definition says it may break. */
  readonly waive: readonly Waiver[];
  /** Whether a host is sent it in another form than the one that was registered. @default false */
  readonly isChanged?: boolean;
}

/** What names a unit and says what it may break. */
export type UnitIdentity = Pick<CheckedUnit, "name" | "urn" | "waive">;

/** A unit that is put together later: what `isUnknown` says of a value is not known before the update. */
export function unitFromFile(
  identity: UnitIdentity,
  file: UnitFile,
  isUnknown: (value: string) => boolean,
): CheckedUnit {
  const model = unitModel(file);
  const unknown = new Set<string>();
  const known = Object.entries(model).map(([section, directives]) => {
    const values = Object.entries(directives).filter(([key, value]) => {
      const isKnown = !(typeof value === "string" ? [value] : value).some(isUnknown);
      if (!isKnown) unknown.add(`${section}.${key}`);
      return isKnown;
    });
    return [section, new Map(values)] as const;
  });
  return unitFromKnown(identity, new Map(known), unknown);
}

/** A unit whose text is known. @throws UnitSyntaxError */
export function unitFromText(identity: UnitIdentity, text: string): CheckedUnit {
  const file = parseUnitFile(text);
  return {
    ...identity,
    text,
    model: unitModel(file),
    linted: lintedUnit({ name: identity.name, file }),
    unknown: new Set(),
  };
}

const sectionNames = ["Unit", "Service", "Socket", "Timer", "Path", "Install"];

/** A unit by its sections as a component registers them, of which some directives, or all, may not be known. */
export function unitFromSections(identity: UnitIdentity, sections: Reading): CheckedUnit {
  const unknown = new Set<string>();
  const known = new Map<string, Map<string, string | readonly string[]>>();
  const whole = sections.isKnown
    ? readings(sections.value)
    : sectionNames.map((section) => [section, { value: undefined, isKnown: false }] as const);
  for (const [section, directives] of whole) {
    if (!directives.isKnown) unknown.add(section);
    const values = new Map<string, string | readonly string[]>();
    for (const [key, { isKnown, value }] of readings(directives.value)) {
      const text = isKnown ? directiveText(value) : undefined;
      if (text === undefined) unknown.add(`${section}.${key}`);
      else values.set(key, text);
    }
    known.set(section, values);
  }
  return unitFromKnown(identity, known, unknown);
}

type KnownValues = ReadonlyMap<string, ReadonlyMap<string, string | readonly string[]>>;

function unitFromKnown(identity: UnitIdentity, known: KnownValues, unknown: ReadonlySet<string>): CheckedUnit {
  return {
    ...identity,
    text: undefined,
    model: Object.fromEntries([...known].map(([section, values]) => [section, guarded(section, values, unknown)])),
    linted: guardedLinted({ name: identity.name, file: fileOf(known) }, unknown),
    unknown,
  };
}

function readings(of: unknown) {
  const object = typeof of === "object" && of !== null ? (of as Record<string, unknown>) : {};
  return Object.keys(object).map((key) => [key, reading(() => object[key])] as const);
}

/** A directive's value; undefined where one of its parts is not known. */
function directiveText(value: unknown): string | readonly string[] | undefined {
  if (!Array.isArray(value)) return String(value);
  const parts = Array.from({ length: value.length }, (_, index) => reading(() => value[index]));
  return parts.every(({ isKnown }) => isKnown) ? parts.map((part) => String(part.value)) : undefined;
}

function fileOf(known: KnownValues): UnitFile {
  const sections = [...known].map(
    ([name, values]): UnitSection => ({
      name,
      entries: [...values].flatMap(([key, value]) =>
        (typeof value === "string" ? [value] : value).map((one) => ({ key, value: one })),
      ),
    }),
  );
  return { sections };
}

/** `[Service] User`, of `Service.User`. */
function shownDirective(id: string): string {
  const [section, directive] = id.split(".");
  return directive === undefined ? `[${section}]` : `[${section}] ${directive}`;
}

function guarded(
  section: string,
  values: ReadonlyMap<string, string | readonly string[]>,
  unknown: ReadonlySet<string>,
): UnitModel[string] {
  return new Proxy(Object.fromEntries(values), {
    get: (known: Record<string, string | readonly string[]>, key) => {
      if (typeof key === "string") throwUnknown(`${section}.${key}`, unknown);
      return Reflect.get(known, key);
    },
  });
}

function guardedLinted(unit: LintUnit, unknown: ReadonlySet<string>): LintedUnit {
  const linted = lintedUnit(unit);
  return unknown.size === 0 ? linted : { ...linted, assignments: new GuardedAssignments(linted.assignments, unknown) };
}

/** Assignments of which some are not known: a lint that asks for such a one cannot run. */
class GuardedAssignments extends Map<string, readonly Assignment[]> {
  readonly unknown: ReadonlySet<string> = new Set();

  constructor(known: ReadonlyMap<string, readonly Assignment[]>, unknown: ReadonlySet<string>) {
    super(known);
    this.unknown = unknown;
  }

  override get(id: string): readonly Assignment[] | undefined {
    throwUnknown(id, this.unknown);
    return super.get(id);
  }

  override has(id: string): boolean {
    throwUnknown(id, this.unknown);
    return super.has(id);
  }
}

/** @throws UnknownValueError where the directive, or its whole section, is not known */
export function throwUnknown(id: string, unknown: ReadonlySet<string>): void {
  if (unknown.has(id)) throw new UnknownValueError(shownDirective(id));
  const section = id.replace(/\..*/, "");
  if (unknown.has(section)) throw new UnknownValueError(shownDirective(section));
}
