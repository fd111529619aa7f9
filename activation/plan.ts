import { isDeepStrictEqual } from "node:util";
import type { Bundle } from "./bundle.ts";
import { drafts, idleDrafts, isOnDemand, isTrigger, stops, type UnitDraft } from "./plan-draft.ts";
import { hookSteps, plannedHooks } from "./plan-hooks.ts";
import { planNeighbours, socketGaps } from "./plan-neighbours.ts";
import { rolledInstances } from "./plan-rolling.ts";
import type { PlanStep, TransactionPlan, UnitPlan } from "./plan-shape.ts";
import { changesBeside, decideUnit, hasSameContent } from "./plan-units.ts";

export type * from "./plan-shape.ts";

/** What every plan takes for granted, since it is made without the host. */
export const planAssumptions = [
  "The host is at the old state: its files, units and links are as that transaction left them.",
  "Units that the transaction starts are up, jobs among them are done, and nobody has disabled, masked or stopped one.",
  "Nothing outside of the bundle depends on these units: what does is stopped and started again with them, and told.",
  "No release comes back that the host has kept: it would not run its `preStart` again.",
] as const;

/** Where systemd reads units and their drop-ins. */
const readBySystemd = /^\/(etc|run|usr\/local\/lib|usr\/lib|lib)\/systemd\/system\//;

/**
 * What one transaction will do on a host and why, made from the two states alone. It is what the host program does from
 * the digests where the assumptions hold; the two are tested against each other.
 * @param old what the host was brought to last; undefined for a host that this stack has not touched yet
 * @param next what it must become; without units, files and releases: a destroy
 */
export function plan(old: Bundle | undefined, next: Bundle): TransactionPlan {
  const beside = changesBeside(old, next);
  const units = drafts(old?.units ?? [], next.units);
  for (const draft of units.values()) decideUnit(draft, beside);
  const idle = idleDrafts(units);
  const late = planNeighbours(units);
  planNeighbours(idle);
  const all = [...units.values()];
  const hooks = plannedHooks(old, next, beside.releases);
  const steps = [
    ...hookSteps(hooks, ["check", "pre-start"]),
    ...planSteps(all, late, old, next),
    ...hookSteps(hooks, ["post-start"]),
  ];
  return {
    assumptions: planAssumptions,
    units: all.map((running) => unitPlan(running, idle.get(running.name)!)),
    steps,
    gaps: uniqueOf([...socketGaps(units), ...socketGaps(idle)]),
    accounts: {
      made: [...missing(next.users, old?.users ?? []), ...gainedGroups(old, next)],
      removed: missing(old?.users ?? [], next.users),
    },
    releases: { changed: [...beside.releases.keys()], removed: missing(old?.releases ?? [], next.releases) },
    hooks,
    untouched: all.filter((draft) => isUntouched(draft, idle.get(draft.name)!)).map(({ name }) => name),
    daemonReloads: steps.filter(({ step }) => step === "daemon-reload").length,
  };
}

function unitPlan(running: UnitDraft, idle: UnitDraft): UnitPlan {
  return {
    unit: running.name,
    action: running.action,
    enablement: running.enablement,
    ifIdle: idle.action === running.action ? null : idle.action,
    onDemand: isOnDemand(running),
    causes: uniqueOf([...running.causes, ...idle.causes]),
    notes: running.notes,
  };
}

/** The same processes go on, and where there was none it may be started. */
function isUntouched(running: UnitDraft, idle: UnitDraft): boolean {
  const goesOn = ({ action }: UnitDraft) => action === "none" || action === "reload-manager";
  return goesOn(running) && (goesOn(idle) || idle.action === "start") && running.enablement === "none";
}

function uniqueOf<T>(items: readonly T[]): T[] {
  return items.filter((item, index) => items.findIndex((other) => isDeepStrictEqual(other, item)) === index);
}

function missing(from: readonly { name: string }[], inside: readonly { name: string }[]): string[] {
  return from.map(({ name }) => name).filter((name) => !inside.some((other) => other.name === name));
}

/** Groups of accounts that stay, as `group NAME`. */
function gainedGroups(old: Bundle | undefined, next: Bundle): string[] {
  const known = (old?.users ?? []).flatMap(({ name, group }) => [name, group]);
  const staying = next.users.filter(({ name }) => known.includes(name));
  const groups = staying.map(({ group }) => group).filter((group) => !known.includes(group));
  return [...new Set(groups)].map((group) => `group ${group}`);
}

function planSteps(all: readonly UnitDraft[], late: readonly string[], old: Bundle | undefined, next: Bundle) {
  const named = (wanted: (draft: UnitDraft) => boolean) => all.filter(wanted).map(({ name }) => name);
  const stopping = named((draft) => stops(draft) && !late.includes(draft.name));
  const written = [
    ...next.files.filter((file) => {
      const before = old?.files.find(({ path }) => path === file.path);
      return before === undefined || !hasSameContent(before, file) || before.mode !== file.mode;
    }),
    ...all.flatMap(({ old: was, next: is }) => {
      const same = was?.unit.digests.file === is?.unit.digests.file && was?.unit.path === is?.unit.path;
      return is && !same ? [is.unit] : [];
    }),
  ];
  const kept = new Set([...next.files, ...next.units].map(({ path }) => path));
  const gone = [...(old?.files ?? []), ...(old?.units ?? [])].filter(({ path }) => !kept.has(path));
  const enabling = all.some(({ enablement }) => enablement === "enable" || enablement === "reenable");
  const reads = enabling || [...gone, ...written].some(({ path }) => readBySystemd.test(path));
  const later = (path: string) => late.some((name) => path.endsWith(`/${name}`));
  const paths = (items: readonly { path: string }[]) => items.map(({ path }) => path);

  const restarted = named(({ action }) => action === "restart");
  const roll = rolledInstances(
    restarted,
    next.units.map(({ name }) => name),
  );
  const bringUp = (["socket", "service", "trigger"] as const).flatMap((wave): PlanStep[] => [
    { step: "restart", of: restarted.filter((name) => !roll.includes(name) && waveOf(name) === wave) },
    {
      step: "start",
      of: named(({ name, action }) => (action === "start" || action === "stop+start") && waveOf(name) === wave),
    },
  ]);
  const steps: PlanStep[] = [
    { step: "write", of: paths(written) },
    { step: "stop", of: stopping.filter(isTrigger) },
    { step: "stop", of: stopping.filter((name) => !isTrigger(name)) },
    { step: "disable", of: named(({ enablement }) => enablement === "disable") },
    { step: "remove", of: paths(gone.filter(({ path }) => !later(path))) },
    { step: "enable", of: named(({ enablement }) => enablement === "enable") },
    { step: "reenable", of: named(({ enablement }) => enablement === "reenable") },
    ...(reads ? [{ step: "daemon-reload", of: [] } as const] : []),
    { step: "hand-over", of: late },
    ...(late.length > 0 ? [{ step: "daemon-reload", of: [] } as const] : []),
    { step: "reload", of: named(({ action }) => action === "reload") },
    ...bringUp,
    {
      step: "watch",
      of: named(
        ({ name, action }) => !roll.includes(name) && ["reload", "restart", "start", "stop+start"].includes(action),
      ),
    },
    ...roll.flatMap((name): PlanStep[] => [
      { step: "restart", of: [name] },
      { step: "watch", of: [name] },
    ]),
  ];
  return steps.filter(({ step, of }) => step === "daemon-reload" || of.length > 0);
}

function waveOf(name: string): "socket" | "service" | "trigger" {
  return name.endsWith(".socket") ? "socket" : /\.(timer|path)$/.test(name) ? "trigger" : "service";
}
