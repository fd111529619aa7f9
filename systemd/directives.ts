import type { Directive, DirectiveBlock } from "./directive.ts";
import { directiveBlocks } from "./directives.generated.ts";
import { nearestOf } from "./nearest.ts";
import { isUnitType } from "./unit-name.ts";

export type { Directive, DirectiveBlock, DirectiveKind, EmptyAssignment } from "./directive.ts";
export { directiveKinds } from "./directive.ts";
export { directiveBlocks };

/** The newest systemd whose directives are in the table. */
export const newestSystemd = 257;

const shared = ["Exec", "Kill", "CGroup"] as const;

const blocksOfSection: Readonly<Record<string, readonly DirectiveBlock[]>> = {
  Unit: ["Unit"],
  Install: ["Install"],
  Service: ["Service", ...shared],
  Socket: ["Socket", ...shared],
  Timer: ["Timer"],
  Path: ["Path"],
  Mount: ["Mount", ...shared],
  Automount: ["Automount"],
  Swap: ["Swap", ...shared],
  Slice: ["CGroup"],
  Scope: ["Scope", "CGroup", "Kill"],
};

const oomLimits = [
  "ManagedOOMMemoryPressure",
  "ManagedOOMMemoryPressureLimit",
  "ManagedOOMMemoryPressureLimitPercent",
  "ManagedOOMSwap",
];
/** Directives of a shared block that systemd ignores in a section ("not supported for this unit type"). */
const unsupportedIn: Readonly<Record<string, readonly string[]>> = {
  Socket: ["Delegate", ...oomLimits],
  Mount: ["Delegate", ...oomLimits],
  Swap: ["Delegate", ...oomLimits],
  Slice: ["Delegate"],
};

/** All sections that some unit has, in the order in which they are searched for a misplaced directive. */
export const sectionNames: readonly string[] = Object.keys(blocksOfSection);

const tableOfSection: ReadonlyMap<string, ReadonlyMap<string, Directive>> = new Map(
  Object.entries(blocksOfSection).map(([section, blocks]) => [
    section,
    new Map(
      blocks
        .flatMap((block) => directiveBlocks[block])
        .filter(({ name }) => unsupportedIn[section]?.includes(name) !== true)
        .map((directive) => [directive.name, directive]),
    ),
  ]),
);

/**
 * The directive of that exact name in a section, or undefined. `[Service]`, `[Socket]`, `[Mount]` and `[Swap]` also take
 * what systemd.exec(5), systemd.kill(5) and systemd.resource-control(5) list, `[Slice]` the last, `[Scope]` the last two,
 * without what systemd ignores there: Delegate and limits of systemd-oomd in a socket, mount or swap, Delegate in a slice.
 * @param section Name of a section such as `Service`, not of a shared block.
 */
export function directiveOf(section: string, name: string): Directive | undefined {
  return tableOfSection.get(section)?.get(name);
}

/** All directives that a section takes, its own first; none for an unknown section. */
export function directivesOf(section: string): readonly Directive[] {
  return [...(tableOfSection.get(section)?.values() ?? [])];
}

/**
 * The sections that a unit of this type may have, in the order in which they are written: `[Unit]`, that of the type if
 * it has one (targets and devices have none), `[Install]`.
 * @param unitType Suffix without the dot, such as `service`; of an unknown type only Unit and Install are known.
 */
export function sectionsOf(unitType: string): readonly string[] {
  const own = isUnitType(unitType) ? `${unitType.charAt(0).toUpperCase()}${unitType.slice(1)}` : "";
  return tableOfSection.has(own) ? ["Unit", own, "Install"] : ["Unit", "Install"];
}

/** A directive that a person probably meant. */
export interface NearestDirective {
  readonly name: string;
  /** Section in which it is written. */
  readonly section: string;
}

/**
 * What a person probably meant by a name that a section does not know: the same name in another section, else the nearest
 * spelling in this section, else the nearest spelling in the others; undefined where nothing is near.
 * @param sections Sections that come into question besides this one.
 * @default all
 */
export function nearestDirective(
  section: string,
  name: string,
  sections: readonly string[] = sectionNames,
): NearestDirective | undefined {
  const others = sections.filter((other) => other !== section);
  const elsewhere = others.find((other) => directiveOf(other, name) !== undefined);
  if (elsewhere !== undefined) return { name, section: elsewhere };
  for (const candidate of [section, ...others]) {
    const nearest = nearestOf(name, tableOfSection.get(candidate)?.keys() ?? []);
    if (nearest !== undefined) return { name: nearest, section: candidate };
  }
  return undefined;
}
