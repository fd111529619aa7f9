import type { BundleUnit } from "./bundle.ts";
import type { PlanCause, UnitAction, UnitEnablement } from "./plan-shape.ts";
import { type UnitFacts, unitFacts } from "./unit-facts.ts";

/** One side of a change: a unit with what its text says. */
export interface KnownUnit {
  readonly unit: BundleUnit;
  readonly facts: UnitFacts;
}

/** A unit's plan while it is being made. */
export interface UnitDraft {
  readonly name: string;
  readonly old: KnownUnit | undefined;
  readonly next: KnownUnit | undefined;
  /** Whether it runs before the change; of on-demand units that is supposed. */
  readonly runs: boolean;
  /** Whether its instances are made for connections: nothing but a new connection can start one. */
  readonly servesConnections: boolean;
  action: UnitAction;
  enablement: UnitEnablement;
  /** What its own change does to it if it is idle; undefined where it surely runs. */
  ifIdle: UnitAction | undefined;
  readonly causes: PlanCause[];
  readonly notes: string[];
}

/** All units of both bundles by name, none with anything to do yet, and on-demand units running. */
export function drafts(old: readonly BundleUnit[], next: readonly BundleUnit[]): Map<string, UnitDraft> {
  const byName = (units: readonly BundleUnit[]) =>
    new Map(units.map((unit) => [unit.name, { unit, facts: unitFacts(unit.name, unit.content) }]));
  const [before, after] = [byName(old), byName(next)];
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  const serving = new Set([...before.values()].map(({ facts }) => facts.perConnection));
  return new Map(names.map((name) => [name, draft(name, before.get(name), after.get(name), serving.has(name))]));
}

function draft(
  name: string,
  old: KnownUnit | undefined,
  next: KnownUnit | undefined,
  servesConnections: boolean,
): UnitDraft {
  const runs = old !== undefined && !old.unit.isJob;
  const nothing = { action: "none", enablement: "none", ifIdle: undefined } as const;
  return { name, old, next, runs, servesConnections, ...nothing, causes: [], notes: [] };
}

/** The same with every on-demand unit idle. */
export function idleDrafts(running: ReadonlyMap<string, UnitDraft>): Map<string, UnitDraft> {
  return new Map(
    [...running].map(([name, unit]) => [
      name,
      {
        ...unit,
        runs: unit.runs && !isOnDemand(unit),
        action: unit.ifIdle ?? unit.action,
        causes: [...unit.causes],
        notes: [...unit.notes],
      },
    ]),
  );
}

/** Whether something else than the transaction decides if the unit runs. */
export function isOnDemand({ old, next }: UnitDraft): boolean {
  return (old ?? next)?.unit.activation === "on-demand";
}

/** Whether the plan stops the unit, for good or for a while. */
export function stops({ action }: UnitDraft): boolean {
  return action === "stop" || action === "stop+start";
}

const strength = ["none", "reload-manager", "reload", "restart", "stop+start"];

/**
 * Has at least this action done to a unit that runs, because of another one; units that are started or go for good are left.
 * @returns whether that changed the draft
 */
export function raise(draft: UnitDraft, action: "restart" | "stop+start", cause: PlanCause): boolean {
  const before = strength.indexOf(draft.action);
  if (!draft.runs || draft.servesConnections || before < 0 || before >= strength.indexOf(action)) return false;
  // They tell why it is left as it is.
  if (before <= strength.indexOf("reload-manager")) draft.notes.length = 0;
  draft.action = action;
  draft.causes.push(cause);
  return true;
}

/** Whether `name` can start other units by itself. */
export function isTrigger(name: string): boolean {
  return /\.(socket|timer|path|automount)$/.test(name);
}
