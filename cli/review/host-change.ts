import type { Bundle } from "../../activation/bundle.ts";
import { plan, type TransactionPlan, type UnitPlan } from "../../activation/plan.ts";
import { type ExposureChange, exposureChange } from "./exposure-change.ts";
import { unifiedDiff } from "./unit-diff.ts";

/** One host before and after a change of the program. */
export interface HostStates {
  readonly host: string;
  /** undefined: the host was not there. */
  readonly before: Bundle | undefined;
  /** undefined: the host goes. */
  readonly after: Bundle | undefined;
}

/** What a change of the program brings to one host, or to several that it brings word by word the same. */
export interface HostChange {
  /** Names, sorted. */
  readonly hosts: readonly string[];
  readonly kind: "new" | "changed" | "removed" | "unchanged";
  readonly plan: TransactionPlan;
  /** Units that change in text or to which something happens, those with the heaviest action first. */
  readonly units: readonly UnitChange[];
  /** Files beside the units. */
  readonly files: readonly FileChange[];
}

/** One unit of a change. */
export interface UnitChange extends UnitPlan {
  /** Unified diff of its text; empty when that is the same. */
  readonly diff: string;
  readonly exposure: ExposureChange | null;
}

/** One file beside the units. */
export interface FileChange {
  readonly path: string;
  readonly change: "new" | "changed" | "removed";
  readonly secret: boolean;
  /** Unified diff of its content; empty for a secret one. */
  readonly diff: string;
}

/** From the heaviest to the lightest. */
const weights: readonly UnitPlan["action"][] = [
  "stop",
  "stop+start",
  "restart",
  "start",
  "reload",
  "reload-manager",
  "none",
];

/** The heavier of what happens to a unit and of what happens instead if on-demand units are idle. */
export function heaviestAction({ action, ifIdle }: Pick<UnitPlan, "action" | "ifIdle">): UnitPlan["action"] {
  return ifIdle !== null && weights.indexOf(ifIdle) < weights.indexOf(action) ? ifIdle : action;
}

function rankOfUnit(unit: UnitPlan): number {
  return weights.indexOf(heaviestAction(unit));
}

/** What happens to each host; hosts with the same change together, those that change first. */
export function hostChanges(states: readonly HostStates[]): HostChange[] {
  const all = states.map((state) => ({ host: state.host, change: hostChange(state) }));
  return [...Map.groupBy(all, ({ change }) => JSON.stringify(change)).values()]
    .flatMap((same) => {
      const [first] = same;
      return first === undefined ? [] : [{ hosts: same.map(({ host }) => host).sort(), ...first.change }];
    })
    .sort(
      (a, b) =>
        rank(a) - rank(b) || b.hosts.length - a.hosts.length || ((a.hosts[0] ?? "") < (b.hosts[0] ?? "") ? -1 : 1),
    );
}

function rank({ kind, units }: HostChange): number {
  if (kind === "unchanged") return weights.length + 1;
  return Math.min(...units.map(rankOfUnit), weights.length);
}

function hostChange({ before, after }: HostStates): Omit<HostChange, "hosts"> {
  const nothing = { users: [], files: [], releases: [], hooks: [], units: [] };
  const next = after ?? { ...(before as Bundle), ...nothing };
  const made = plan(before, next);
  const units = made.units
    .map((unitPlan) => unitChange(unitPlan, before, next))
    .filter((unit) => unit.diff !== "" || heaviestAction(unit) !== "none" || unit.enablement !== "none")
    .sort((a, b) => rankOfUnit(a) - rankOfUnit(b) || (a.unit < b.unit ? -1 : 1));
  const files = fileChanges(before, next);
  const releases = made.releases.changed.length + made.releases.removed.length;
  const accounts = made.accounts.made.length + made.accounts.removed.length;
  const isChanged = units.length + files.length + releases + accounts + made.hooks.length > 0;
  return {
    kind: before === undefined ? "new" : after === undefined ? "removed" : isChanged ? "changed" : "unchanged",
    plan: made,
    units,
    files,
  };
}

function unitChange(unitPlan: UnitPlan, before: Bundle | undefined, after: Bundle): UnitChange {
  const text = (bundle: Bundle | undefined) => bundle?.units.find(({ name }) => name === unitPlan.unit)?.content;
  const [old, next] = [text(before), text(after)];
  return {
    ...unitPlan,
    diff: unifiedDiff(old ?? "", next ?? ""),
    exposure: old === next ? null : exposureChange(unitPlan.unit, old, next),
  };
}

function fileChanges(before: Bundle | undefined, after: Bundle): FileChange[] {
  const old = new Map((before?.files ?? []).map((file) => [file.path, file]));
  const next = new Map(after.files.map((file) => [file.path, file]));
  return [...new Set([...old.keys(), ...next.keys()])].sort().flatMap((path): FileChange[] => {
    const [was, is] = [old.get(path), next.get(path)];
    if (was?.content === is?.content && was?.encoding === is?.encoding && was?.mode === is?.mode) return [];
    const secret = (was?.secret ?? false) || (is?.secret ?? false);
    return [
      {
        path,
        change: was === undefined ? "new" : is === undefined ? "removed" : "changed",
        secret,
        diff: secret ? "" : unifiedDiff(was?.content ?? "", is?.content ?? ""),
      },
    ];
  });
}
