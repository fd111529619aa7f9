import { isDeepStrictEqual } from "node:util";
import { parseUnitFile, unitModel } from "../systemd/unit-file.ts";
import type { Bundle, BundleFile, BundleUnit } from "./bundle.ts";
import { type ChangeClass, changeClass, isLowered } from "./change-class.ts";
import { isOnDemand, type KnownUnit, type UnitDraft } from "./plan-draft.ts";
import type { PlanCause } from "./plan-shape.ts";

/** Things beside the units that change, by path or name, with the cause that they are for a unit which follows them. */
export interface ChangesBeside {
  readonly files: ReadonlyMap<string, PlanCause>;
  readonly releases: ReadonlyMap<string, PlanCause>;
}

/** What differs beside the units. */
export function changesBeside(old: Bundle | undefined, next: Bundle): ChangesBeside {
  const files = new Map<string, PlanCause>();
  const kept = new Set(next.files.map(({ path }) => path));
  for (const { path } of old?.files ?? []) {
    if (!kept.has(path)) files.set(path, { kind: "file", path, change: "removed" });
  }
  for (const file of next.files) {
    const { path } = file;
    const before = old?.files.find((other) => other.path === path);
    if (before && hasSameContent(before, file)) continue;
    files.set(path, { kind: "file", path, change: before === undefined ? "new" : "changed" });
  }
  const releases = new Map<string, PlanCause>();
  for (const release of next.releases) {
    const before = old?.releases.find(({ name }) => name === release.name);
    if (before && isDeepStrictEqual(where(before), where(release))) continue;
    releases.set(release.name, {
      kind: "release",
      name: release.name,
      old: before?.sha256 ?? null,
      new: release.sha256,
    });
  }
  return { files, releases };
}

/** Whether two files have the same bytes, as far as can be said here: what a secret is encoded as may differ too. */
export function hasSameContent(one: BundleFile, other: BundleFile): boolean {
  return one.content === other.content && one.encoding === other.encoding && one.seal === other.seal;
}

function where({ sha256, directory, link }: Bundle["releases"][number]) {
  return { sha256, directory, link };
}

/** Decides for one unit what its own change needs, other units left aside. The table in docs/transaction.md. */
export function decideUnit(draft: UnitDraft, beside: ChangesBeside): void {
  const { old, next } = draft;
  decideEnablement(draft);
  if (next === undefined) {
    if (draft.runs) draft.action = "stop";
    else draft.notes.push("a run at work is stopped");
    if (isOnDemand(draft)) draft.ifIdle = "none";
    draft.causes.push({ kind: "unit", change: "removed" });
  } else if (old === undefined) {
    draft.action = next.unit.activation === "started" ? "start" : "reload-manager";
    draft.causes.push({ kind: "unit", change: "new" });
  } else {
    decideChange(draft, old, next, beside);
  }
}

/** A daemon-reload closes an address that left a socket's file, and sets a timer's next run and a path's watch. */
const followsItsFile = /\.(socket|timer|path)$/;

function decideChange(draft: UnitDraft, old: KnownUnit, next: KnownUnit, beside: ChangesBeside): void {
  const { onChange, activation } = next.unit;
  const differs = (digest: keyof BundleUnit["digests"]) => old.unit.digests[digest] !== next.unit.digests[digest];
  // What it no longer names counts where it went away.
  const following = (on: "restartOn" | "reloadOn") =>
    [...new Set([...next.unit[on].files, ...old.unit[on].files])].flatMap((path): PlanCause[] => {
      const cause = beside.files.get(path);
      if (cause === undefined) return [];
      return next.unit[on].files.includes(path) || (cause.kind === "file" && cause.change === "removed") ? [cause] : [];
    });
  const outside = [
    ...following("restartOn"),
    ...next.unit.restartOn.releases.flatMap((name) => beside.releases.get(name) ?? []),
  ];
  const reread = following("reloadOn");
  draft.causes.push(...outside, ...reread, ...directiveCauses(old, next));
  const restarts =
    outside.length > 0 ||
    differs("restart") ||
    isLowered(old.unit.memoryMax, next.unit.memoryMax) ||
    (onChange === "restart" && (differs("manager") || differs("limits")));
  const acts = restarts || reread.length > 0 || differs("reload");
  const atRest = differs("file") ? "reload-manager" : "none";

  if (old.unit.activation === "on-demand" && activation === "started") {
    draft.causes.push({ kind: "activation", old: "on-demand", new: "started" });
    draft.ifIdle = "start";
  }
  if (draft.ifIdle === "start" && !draft.runs) {
    draft.action = "start";
  } else if (!acts) {
    draft.action = atRest;
  } else if (draft.servesConnections) {
    draft.action = atRest;
    draft.notes.push("connections at work are left to finish; the next one takes the change");
  } else if (onChange === "none" && !followsItsFile.test(draft.name)) {
    draft.action = atRest;
    draft.notes.push("not applied to what runs, because onChange is none");
  } else if (/\.(slice|target)$/.test(draft.name)) {
    draft.action = atRest;
  } else if (old.unit.isJob && activation === "started") {
    draft.action = "start";
  } else if (old.unit.isJob) {
    draft.action = atRest;
    const fate = onChange === "auto" ? "left to finish; its next run takes the change" : `begun again (${onChange})`;
    draft.notes.push(`a run at work is ${fate}`);
  } else if (draft.name.endsWith(".timer") && next.unit.countsFromThePast) {
    draft.action = atRest;
    draft.notes.push("it is not restarted, because that could make it fire; daemon-reload sets its next run");
  } else if (/\.(socket|timer)$/.test(draft.name)) {
    draft.action = "stop+start";
  } else if (!old.unit.isJob && next.unit.isJob && next.unit.activation === "on-demand") {
    draft.action = "stop";
    draft.notes.push("it is a job from now on, which something else starts: it is not run now");
  } else {
    const wantsReload = onChange === "reload" || (onChange === "auto" && !restarts);
    draft.action = wantsReload && old.unit.canReload && next.unit.canReload ? "reload" : "restart";
    if (wantsReload && draft.action === "restart") draft.notes.push("it cannot reload, so it is restarted");
  }
  const limits = ["TimeoutStartSec", "TimeoutSec"];
  if (old.unit.isJob && draft.causes.some((cause) => cause.kind === "directive" && limits.includes(cause.key))) {
    draft.notes.push("a run at work that has taken longer than its new timeout is ended by the daemon-reload");
  }
  if (onChange === "none" && acts && followsItsFile.test(draft.name)) {
    draft.notes.push("daemon-reload applies a part of its file at once, so onChange none cannot hold");
  }
  if (isOnDemand(draft) && draft.action !== atRest) draft.ifIdle ??= atRest;
}

function decideEnablement(draft: UnitDraft): void {
  const [before, after] = [draft.old?.unit, draft.next?.unit];
  if (!after?.enabled) draft.enablement = before?.enabled ? "disable" : "none";
  else if (before === undefined) draft.enablement = "enable";
  else if (!before.enabled || before.digests.install !== after.digests.install) draft.enablement = "reenable";
}

const needs = {
  nothing: "none",
  manager: "reload-manager",
  limits: "reload-manager",
  reload: "reload",
  restart: "restart",
  install: "reenable",
} as const satisfies Record<ChangeClass, string>;

/** One cause for each directive that differs, in the order of the new text. */
function directiveCauses(old: KnownUnit, next: KnownUnit): PlanCause[] {
  const [before, after] = [old, next].map(({ unit }) => assignments(unit.content));
  return [...new Set([...after!.keys(), ...before!.keys()])].flatMap((place): PlanCause[] => {
    const [was, is] = [before!.get(place), after!.get(place)];
    if (isDeepStrictEqual(was?.values, is?.values)) return [];
    const { section, key } = (is ?? was)!;
    const classes = [was, is].flatMap((one) => (one === undefined ? [] : changeClass(section, key, one.values)));
    const lowered = section === "Service" && key === "MemoryMax" && isLowered(old.unit.memoryMax, next.unit.memoryMax);
    const wanted = lowered || classes.includes("restart") ? "restart" : classes[0]!;
    return [
      { kind: "directive", section, key, old: was?.values ?? null, new: is?.values ?? null, needs: needs[wanted] },
    ];
  });
}

function assignments(text: string) {
  const model = unitModel(parseUnitFile(text));
  return new Map(
    Object.entries(model).flatMap(([section, directives]) =>
      Object.entries(directives).map(
        ([key, value]) => [`${section}\0${key}`, { section, key, values: [value].flat() }] as const,
      ),
    ),
  );
}
