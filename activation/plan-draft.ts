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
  action: UnitAction;
  enablement: UnitEnablement;
  /** What happens instead if it is idle; undefined where it surely runs. */
  ifIdle: UnitAction | undefined;
  readonly causes: PlanCause[];
  readonly notes: string[];
}

/** All units of both bundles by name, none with anything to do yet. */
export function drafts(old: readonly BundleUnit[], next: readonly BundleUnit[]): Map<string, UnitDraft> {
  const known = (unit: BundleUnit | undefined) => unit && { unit, facts: unitFacts(unit.name, unit.content) };
  const names = [...new Set([...old, ...next].map((unit) => unit.name))].sort();
  const byName = (units: readonly BundleUnit[], name: string) => known(units.find((unit) => unit.name === name));
  return new Map(
    names.map((name) => [
      name,
      {
        name,
        old: byName(old, name),
        next: byName(next, name),
        action: "none",
        enablement: "none",
        ifIdle: undefined,
        causes: [],
        notes: [],
      },
    ]),
  );
}

/** Whether the unit runs before the change, as far as can be said without the host: on-demand units may. */
export function mayRun(draft: UnitDraft): boolean {
  if (draft.old === undefined) return false;
  return !(draft.old.facts.isJob && draft.name.endsWith(".service"));
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
 * Has at least this action done to a unit, because of another one; units that are started or go for good are left.
 * @param maybe whether that other one may be idle, and then nothing follows from it
 * @returns whether that changed the draft
 */
export function raise(draft: UnitDraft, action: "restart" | "stop+start", maybe: boolean, cause: PlanCause): boolean {
  const [before, wanted] = [strength.indexOf(draft.action), strength.indexOf(action)];
  if (before < 0) return false;
  const conditional = maybe || isOnDemand(draft);
  const own = draft.ifIdle ?? draft.action;
  const moves = before < wanted;
  if (moves) draft.action = action;
  const ifIdle = conditional ? (moves ? own : draft.ifIdle) : stronger(own, action);
  const changed = moves || (ifIdle !== draft.ifIdle && draft.ifIdle !== undefined);
  if (!changed) return false;
  draft.ifIdle = ifIdle === draft.action ? undefined : ifIdle;
  draft.causes.push(cause);
  return true;
}

function stronger(one: UnitAction, other: UnitAction): UnitAction {
  return strength.indexOf(one) < strength.indexOf(other) ? other : one;
}

/** Whether `name` can start other units by itself. */
export function isTrigger(name: string): boolean {
  return /\.(socket|timer|path|automount)$/.test(name);
}
