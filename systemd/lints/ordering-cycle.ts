import type { Lint, LintHit } from "./lint.ts";
import { type Assignment, type LintedUnit, listWordsOf } from "./linted-unit.ts";
import { wordMark } from "./readiness.ts";
import { activatedUnit, type UnitSet, unitNamed } from "./unit-set.ts";

/** "`from` comes after `to`." */
interface Edge {
  readonly to: LintedUnit;
  /** Undefined for an order that systemd adds by itself. */
  readonly at: Assignment | undefined;
  readonly word: string;
  /** The unit that says so. */
  readonly owner: LintedUnit;
}

/** Units that each come after the other. */
export const orderingCycleLints: readonly Lint[] = [
  {
    id: "ordering-cycle",
    severity: "error",
    why: "Units that each come after the other cannot be started together; systemd breaks the cycle by leaving one of them out.",
    fix: "Take away one of the After= or Before=.",
    across: true,
    hits: (unit, set) => cycles(set).get(unit) ?? [],
  },
];

const cache = new WeakMap<UnitSet, ReadonlyMap<LintedUnit, readonly LintHit[]>>();

function cycles(set: UnitSet): ReadonlyMap<LintedUnit, readonly LintHit[]> {
  const known = cache.get(set);
  if (known !== undefined) return known;
  const edges = edgesOf(set);
  const hits = new Map<LintedUnit, LintHit[]>();
  const done = new Set<LintedUnit>();
  for (const unit of unitsInKnots(edges)) {
    if (done.has(unit)) continue;
    const path = cycleThrough(unit, edges);
    if (path === undefined) continue;
    for (const edge of path) done.add(edge.to);
    const told = path.find(({ at }) => at !== undefined);
    if (told?.at === undefined) continue;
    const names = [unit, ...path.map(({ to }) => to)].map(({ name }) => name);
    const hit: LintHit = {
      at: told.at,
      mark: wordMark(told.at, told.word),
      message: `${told.at.key}=${told.word} closes a cycle: ${names.join(" comes after ")}`,
    };
    hits.set(told.owner, [...(hits.get(told.owner) ?? []), hit]);
  }
  cache.set(set, hits);
  return hits;
}

function edgesOf(set: UnitSet): ReadonlyMap<LintedUnit, readonly Edge[]> {
  const edges = new Map<LintedUnit, Edge[]>();
  const add = (from: LintedUnit | undefined, edge: Omit<Edge, "to"> & { readonly to: LintedUnit | undefined }) => {
    if (from === undefined || edge.to === undefined || from === edge.to) return;
    const known = edges.get(from);
    if (known === undefined) edges.set(from, [{ ...edge, to: edge.to }]);
    else known.push({ ...edge, to: edge.to });
  };
  for (const unit of set.units) {
    for (const { word, at } of listWordsOf(unit, "Unit.After"))
      add(unit, { to: unitNamed(set, word), at, word, owner: unit });
    for (const { word, at } of listWordsOf(unit, "Unit.Before"))
      add(unitNamed(set, word), { to: unit, at, word, owner: unit });
    const activated = activatedUnit(unit);
    if (activated !== undefined)
      add(unitNamed(set, activated.name), { to: unit, at: undefined, word: activated.name, owner: unit });
  }
  return edges;
}

/** The units that are left when those that come after nothing are taken away, again and again. */
function unitsInKnots(edges: ReadonlyMap<LintedUnit, readonly Edge[]>): readonly LintedUnit[] {
  const open = new Map([...edges].map(([unit, list]) => [unit, list.length]));
  const later = new Map<LintedUnit, LintedUnit[]>();
  for (const [from, list] of edges) {
    for (const { to } of list) later.set(to, [...(later.get(to) ?? []), from]);
  }
  const free = [...later.keys()].filter((unit) => !edges.has(unit));
  for (let unit = free.pop(); unit !== undefined; unit = free.pop()) {
    for (const from of later.get(unit) ?? []) {
      const left = (open.get(from) ?? 0) - 1;
      open.set(from, left);
      if (left === 0) free.push(from);
    }
  }
  return [...edges.keys()].filter((unit) => (open.get(unit) ?? 0) > 0);
}

/** The shortest way from a unit back to itself, or undefined. */
function cycleThrough(start: LintedUnit, edges: ReadonlyMap<LintedUnit, readonly Edge[]>): readonly Edge[] | undefined {
  const cameBy = new Map<LintedUnit, { readonly edge: Edge; readonly from: LintedUnit }>();
  const queue = [start];
  for (let unit = queue.shift(); unit !== undefined; unit = queue.shift()) {
    for (const edge of edges.get(unit) ?? []) {
      if (edge.to === start) return [...wayTo(unit, start, cameBy), edge];
      if (cameBy.has(edge.to)) continue;
      cameBy.set(edge.to, { edge, from: unit });
      queue.push(edge.to);
    }
  }
  return undefined;
}

function wayTo(
  unit: LintedUnit,
  start: LintedUnit,
  cameBy: ReadonlyMap<LintedUnit, { readonly edge: Edge; readonly from: LintedUnit }>,
): readonly Edge[] {
  const step = unit === start ? undefined : cameBy.get(unit);
  return step === undefined ? [] : [...wayTo(step.from, start, cameBy), step.edge];
}
