import { type Assignment, isOn, type LintedUnit, listWordsOf, settingOf } from "./linted-unit.ts";

/** What the units are looked at for. */
export interface LintOptions {
  /**
   * `own`: only what each unit shows by itself, whatever the other units are. `across`: only what other units make, or make
   * good. A unit that is part of many sets is looked at by itself once.
   * @default both
   */
  readonly scope?: "own" | "across" | undefined;
  /** systemd of the target, such as 252. @default any version from 247 on */
  readonly systemd?: number | undefined;
  /**
   * Whether the given units are all that the host gets from us, so that a reference to no unit among them is worth a
   * word. Units that the distribution brings stay unknown.
   * @default false
   */
  readonly complete?: boolean | undefined;
  /** Names of units that the host has besides, such as `redis-server.service`. */
  readonly externalUnits?: readonly string[] | undefined;
  /** Time of today, to find calendar expressions that are over. @default not looked at */
  readonly now?: Date | undefined;
  /** The host's time zone. @default unknown */
  readonly timeZone?: string | undefined;
}

/** The units that are looked at together. */
export interface UnitSet extends LintOptions {
  readonly units: readonly LintedUnit[];
  /** By their names and those of `Alias=`. */
  readonly byName: ReadonlyMap<string, LintedUnit>;
  /** The timers, sockets and paths that start a unit, by the unit's name. */
  readonly activators: ReadonlyMap<string, readonly LintedUnit[]>;
  /** Names that some `Wants=`, `Requires=`, `OnFailure=` and so on of another unit holds. */
  readonly pulledIn: ReadonlySet<string>;
}

/** The units with what connects them. */
export function unitSet(units: readonly LintedUnit[], options: LintOptions): UnitSet {
  const byName = new Map<string, LintedUnit>();
  for (const unit of units) {
    for (const { word } of listWordsOf(unit, "Install.Alias")) if (!byName.has(word)) byName.set(word, unit);
  }
  for (const unit of units) byName.set(unit.name, unit);
  const activators = new Map<string, LintedUnit[]>();
  const pulledIn = new Set<string>();
  for (const unit of units) {
    const activated = activatedUnit(unit);
    if (activated !== undefined) {
      const name = activated.name.replace(/@%[iI]\./, "@.");
      const target = byName.get(name)?.name ?? name;
      activators.set(target, [...(activators.get(target) ?? []), unit]);
    }
    for (const { word } of pullingDirectives.flatMap((id) => listWordsOf(unit, id))) pulledIn.add(word);
  }
  return { ...options, units, byName, activators, pulledIn };
}

const pullingDirectives = [
  "Unit.Wants",
  "Unit.Requires",
  "Unit.Requisite",
  "Unit.BindsTo",
  "Unit.Upholds",
  "Unit.OnFailure",
  "Unit.OnSuccess",
  "Unit.PropagatesReloadTo",
  "Install.Also",
  "Service.Sockets",
];

/** A unit by its name, an alias, or, for an instance, the name of its template. */
export function unitNamed(set: UnitSet, name: string): LintedUnit | undefined {
  return set.byName.get(name) ?? set.byName.get(templateOf(name) ?? name);
}

/** Whether a unit of that name may be there: it is given, named as external, or not all units are known. */
export function mayExist(set: UnitSet, name: string): boolean {
  if (set.complete !== true || name.includes("%")) return true;
  const template = templateOf(name);
  const names = set.externalUnits ?? [];
  return (
    unitNamed(set, name) !== undefined || names.includes(name) || (template !== undefined && names.includes(template))
  );
}

/** `getty@.service` for `getty@tty1.service`, undefined for what is no instance. */
export function templateOf(name: string): string | undefined {
  const at = name.indexOf("@");
  return at < 0 ? undefined : `${name.slice(0, at + 1)}${name.slice(name.lastIndexOf("."))}`;
}

/** The unit that a timer, socket or path starts, and the directive that names it, if one does. */
export interface ActivatedUnit {
  readonly name: string;
  readonly at: Assignment | undefined;
}

/** The unit that a timer, socket or path starts; undefined for other units. */
export function activatedUnit(unit: LintedUnit): ActivatedUnit | undefined {
  const own = unit.name.slice(0, unit.name.lastIndexOf("."));
  if (unit.type === "timer" || unit.type === "path") {
    const at = settingOf(unit, `${unit.ownSection}.Unit`);
    return { name: at?.value ?? `${own}.service`, at };
  }
  if (unit.type !== "socket") return undefined;
  const at = settingOf(unit, "Socket.Service");
  if (at !== undefined) return { name: at.value, at };
  return { name: isOn(unit, "Socket.Accept") ? `${own}@.service` : `${own}.service`, at };
}

/** The timers, sockets and paths that start a unit. */
export function activatorsOf(set: UnitSet, unit: LintedUnit): readonly LintedUnit[] {
  const template = unit.instance === undefined ? undefined : templateOf(unit.name);
  const found = set.activators.get(unit.name) ?? [];
  return template === undefined || template === unit.name ? found : [...found, ...(set.activators.get(template) ?? [])];
}
