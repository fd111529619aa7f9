import { lastDayProblem, type Waiver, writtenDay } from "../systemd/lints/waiver.ts";
import type { CheckedResource } from "./checked-resource.ts";
import { type CheckedUnit, unitFromSections, unitFromText } from "./checked-unit.ts";
import { reading } from "./unknown-values.ts";

/** A Host as it was registered. */
export interface ObservedHost {
  /** Names of its units; empty where they are not known before the update. */
  readonly units: readonly string[];
  /** Whether it says that its key is not checked. */
  readonly skipsHostKey: boolean;
}

/** What the engine has shown so far in this run: components come before what they send. */
export interface ObservedStack {
  /** Units by name and then by URN: two hosts may have different units of one name. */
  readonly unitsByName: Map<string, Map<string, CheckedUnit>>;
  /** By URN. */
  readonly hosts: Map<string, ObservedHost>;
  /** The units that a health check watches, by the URN of the check. */
  readonly watched: Map<string, readonly string[]>;
  /** The hosts that a timer goes off on at once, by the timer's name. */
  readonly timerHosts: Map<string, Set<string>>;
  /** How many waivers a definition or a host has, by URN. */
  readonly waiverCounts: Map<string, number>;
  /** The resource that was looked at last, and the unit that it registers: many policies ask for it one after another. */
  latest: { readonly resource: CheckedResource; readonly unit: CheckedUnit | undefined } | undefined;
}

/** A stack of which nothing is seen. */
export function emptyStack(): ObservedStack {
  return {
    unitsByName: new Map(),
    hosts: new Map(),
    watched: new Map(),
    timerHosts: new Map(),
    waiverCounts: new Map(),
    latest: undefined,
  };
}

/** Units of a name, the last one last: two hosts may have different units of one name. */
export function observedUnits(stack: ObservedStack, name: string): CheckedUnit[] {
  return [...(stack.unitsByName.get(name)?.values() ?? [])];
}

function keep(stack: ObservedStack, unit: CheckedUnit): CheckedUnit {
  stack.unitsByName.set(unit.name, (stack.unitsByName.get(unit.name) ?? new Map()).set(unit.urn, unit));
  return unit;
}

/**
 * Takes note of a resource. The same resource may come once for each policy.
 * @returns the unit that it registers, if it is one
 */
export function observe(stack: ObservedStack, resource: CheckedResource): CheckedUnit | undefined {
  if (stack.latest?.resource === resource) return stack.latest.unit;
  const { type, urn, props } = resource;
  const unit = type === "systemd:index:Unit" ? registeredUnit(stack, resource) : undefined;
  stack.latest = { resource, unit };
  if (type === "systemd:index:Host") {
    const units = reading(() => props.units).value;
    stack.hosts.set(urn, {
      units: Array.isArray(units) ? units.map(String) : [],
      skipsHostKey: props.hostKeyPinned !== true,
    });
  }
  if (type === "systemd:index:HealthCheck") {
    const { value } = reading(() => watchedUnits(props.settings));
    stack.watched.set(urn, Array.isArray(value) ? value : []);
  }
  return unit;
}

function watchedUnits(settings: { checks?: readonly { unit?: unknown }[] } | undefined): string[] {
  return Array.from(settings?.checks ?? []).flatMap(({ unit }) => (typeof unit === "string" ? [unit] : []));
}

/** The unit that a resource registers; undefined where its component has refused its arguments, with a better message. */
function registeredUnit(stack: ObservedStack, resource: CheckedResource): CheckedUnit | undefined {
  const { name, urn, props } = resource;
  const text = reading(() => props.text);
  const waive = waiversOf(props);
  const before = stack.unitsByName.get(name)?.get(urn);
  if (typeof text.value === "string" && text.value !== "") {
    if (before?.text === text.value && JSON.stringify(before.waive) === JSON.stringify(waive)) return before;
    return keep(stack, unitFromText({ name, urn, waive }, text.value));
  }
  const sections = reading(() => props.sections);
  if (sections.isKnown && sections.value === undefined && text.isKnown) return undefined;
  return keep(stack, unitFromSections({ name, urn, waive }, sections));
}

/** The waivers of a definition or a host; one that is not well-formed is none. */
export function waiversOf(props: Readonly<Record<string, unknown>>): readonly Waiver[] {
  const { value } = reading(() => JSON.parse(JSON.stringify(props.waive ?? null)));
  if (!Array.isArray(value)) return [];
  return value.flatMap(({ policy, reason, until }: Partial<Waiver> = {}) => {
    const day = writtenDay(String(until));
    return lastDayProblem(day) === undefined ? [{ policy: String(policy), reason: String(reason), until: day }] : [];
  });
}
