import { createHash } from "node:crypto";
import fc from "fast-check";
import type { Bundle } from "../../activation/bundle.ts";
import { hostCommand, hostInput } from "../../activation/host-command.ts";
import { plan, type TransactionPlan, type UnitAction } from "../../activation/plan.ts";
import { type Receipt, receiptSchema } from "../../activation/receipt.ts";
import type { SandboxHost } from "../../sandbox/host.ts";
import { systemdVersion } from "../../sandbox/release.ts";
import { bundlePair, followings } from "../activation/bundle-pairs.ts";
import { type LookedUnit, type PairLook, pairLook } from "./pair-look.ts";
import type { Row } from "./rows.ts";
import type { Subject } from "./subject.ts";

/** What became of one unit: `again` is another run of it, in one step or in two. */
type Fate = "none" | "reload" | "again" | "start" | "stop";

const fateOf: Readonly<Record<UnitAction, Fate>> = {
  none: "none",
  "reload-manager": "none",
  reload: "reload",
  restart: "again",
  "stop+start": "again",
  start: "start",
  stop: "stop",
};

/**
 * Random pairs of bundles on a host: what the plan says is what the receipt tells and what systemd did, no unit is started
 * or stopped beside the plan, the end is what the second bundle says, and destroy leaves the host as it was.
 */
export const randomPairs: Row = {
  name: "random pairs of bundles, planned and observed",
  trials: { short: 3, long: 200 },
  async trial(subject, tally, number) {
    const { old, next } = pairs(subject)[number]!;
    const { host, current } = subject;
    try {
      if (old !== undefined) await done(host, old);
      const before = await pairLook(host, old === undefined ? [next] : [old, next]);
      const receipt = await done(host, next);
      const after = await pairLook(host, old === undefined ? [next] : [old, next], before);
      const made = plan(old, next);
      const wrong = [
        ...made.units.flatMap((unit) => wrongFate(unit.unit, { made, old, next, before, after, receipt }, tally)),
        ...wrongCounts(made, before, after, receipt),
        ...wrongEnd(old, next, before, after),
      ];
      if (wrong.length > 0) throw new Error(wrong.join("\n    "));
      if (number % 4 === 0) {
        const { outcome } = await done(host, next);
        if (outcome !== "unchanged") throw new Error(`the same once more is not "unchanged" but ${outcome}`);
      }
      await done(host, next, "destroy");
      const gone = await pairLook(host, [next], after);
      // Of a slice systemd knows without a file.
      const isKnown = (name: string, { load }: LookedUnit) => load !== "not-found" && !name.endsWith(".slice");
      const left = Object.entries(gone.units).filter(([name, unit]) => isUp(unit) || isKnown(name, unit));
      if (left.length > 0) throw new Error(`after destroy there still is ${left.map(([name]) => name).join(", ")}`);
    } catch (error) {
      // The rows that follow begin on a host without this pair.
      await host.run(hostCommand("destroy"), { stdin: hostInput(next) });
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(
        `pair ${number} of seed ${subject.random.seed}: ${why}\n${texts("old", old)}${texts("new", next)}`,
      );
    }
    // A full listing with hashes, and the units of another scope.
    await subject.check(current);
  },
};

const drawn = new Map<string, { old: Bundle | undefined; next: Bundle }[]>();

function pairs({ random: { seed }, host: { release } }: Subject) {
  const known = followings.filter((name) => name !== "StopPropagatedFrom" || Number(systemdVersion[release]) >= 249);
  const key = `${seed} ${known.join(" ")}`;
  if (!drawn.has(key)) drawn.set(key, fc.sample(bundlePair(known), { numRuns: 1000, seed }));
  return drawn.get(key)!;
}

/** Runs the host program by itself, as root on the host: a login would only cost time. */
async function done(host: SandboxHost, bundle: Bundle, operation: "apply" | "destroy" = "apply"): Promise<Receipt> {
  const { code, stdout, stderr } = await host.run(hostCommand(operation), { stdin: hostInput(bundle) });
  if (code !== 0) throw new Error(`${operation}: exit status ${code}\n${stdout}${stderr}`);
  return receiptSchema.parse(JSON.parse(stdout));
}

interface Trial {
  readonly made: TransactionPlan;
  readonly old: Bundle | undefined;
  readonly next: Bundle;
  readonly before: PairLook;
  readonly after: PairLook;
  readonly receipt: Receipt;
}

function wrongFate(name: string, trial: Trial, tally: (what: string) => void): string[] {
  if (name.includes("@.")) return [];
  const [was, is] = [trial.before.units[name]!, trial.after.units[name]!];
  const starts = trial.after.starts[name] ?? 0;
  const seen = seenFate(was, is, starts, trial.after.reloads[name] ?? 0);
  const planned = plannedFates(name, trial);
  const told = toldFate(trial.receipt, name);
  tally(`${seen} ${name.slice(name.lastIndexOf(".") + 1)}`);
  // What is started requires it, so systemd starts it too: no plan of ours is needed for that.
  const isPulledIn = seen === "start" && planned.includes("none") && told === "none" && pulledIn(trial).has(name);
  const expected = seen === "again" || seen === "start" ? 1 : 0;
  return [
    ...(planned.includes(seen) || isPulledIn ? [] : [`${name}: planned ${planned.join(" or ")}, observed ${seen}`]),
    ...(told === seen || isPulledIn ? [] : [`${name}: the receipt tells ${told}, observed ${seen}`]),
    ...(starts === expected || (starts > 1 && expected === 1 && isRunAnew(name, trial))
      ? []
      : [`${name}: ${seen}, and it was started ${starts} times`]),
    ...(seen === "none" && isUp(was) && was.began !== is.began ? [`${name}: another process, in the same run`] : []),
  ];
}

function isJobText(content: string): boolean {
  return /^Type=oneshot$/m.test(content) && !content.includes("RemainAfterExit=yes");
}

/** Whether it is a job and another unit that was started requires it: it is done at once, so each such start runs it anew. */
function isRunAnew(name: string, { next, after }: Trial): boolean {
  const requires = (content: string) =>
    [...content.matchAll(/^(?:Requires|BindsTo|Wants)=(.*)$/gm)].some(([, words = ""]) =>
      words.split(" ").includes(name),
    );
  const { content } = next.units.find((unit) => unit.name === name) ?? { content: "" };
  return isJobText(content) && next.units.some((unit) => unit.name in after.starts && requires(unit.content));
}

function seenFate(was: LookedUnit, is: LookedUnit, starts: number, reloads: number): Fate {
  if (isUp(was) && isUp(is)) {
    if (was.invocation !== is.invocation) return "again";
    return reloads > 0 ? "reload" : "none";
  }
  // A job is done by the time of the look.
  if (isUp(was)) return starts > 0 ? "again" : "stop";
  return isUp(is) || starts > 0 ? "start" : "none";
}

function isUp({ active }: LookedUnit): boolean {
  return ["active", "activating", "reloading", "refreshing"].includes(active);
}

/** One fate; two where the plan leaves open whether another on-demand unit runs, on which this one depends. */
function plannedFates(name: string, { made, before }: Trial): Fate[] {
  const { action, ifIdle } = made.units.find(({ unit }) => unit === name)!;
  if (ifIdle === null) return [fateOf[action]];
  if (!isUp(before.units[name]!)) return [fateOf[ifIdle]];
  const others = made.units.filter(({ unit, ifIdle: other }) => unit !== name && other !== null && before.units[unit]);
  const isOpen = others.some(({ unit }) => !isUp(before.units[unit]!));
  return isOpen ? [fateOf[action], fateOf[ifIdle]] : [fateOf[action]];
}

function toldFate(receipt: Receipt, name: string): Fate {
  const told = new Set(receipt.actions.filter(({ unit }) => unit === name).map(({ action }) => action));
  if (told.has("restart") || (told.has("stop") && told.has("start"))) return "again";
  return (["start", "stop", "reload"] as const).find((verb) => told.has(verb)) ?? "none";
}

/** What systemd starts because something that was started wants it. */
function pulledIn({ next, after, receipt }: Trial): Set<string> {
  const found = new Set(Object.keys(after.starts).filter((name) => toldFate(receipt, name) !== "none"));
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const { name, content } of next.units) {
      if (!found.has(name)) continue;
      for (const [, words = ""] of content.matchAll(/^(?:Requires|BindsTo|Wants|Sockets)=(.*)$/gm)) {
        for (const word of words.split(" ")) found.add(word);
      }
    }
  }
  return found;
}

function wrongCounts(made: TransactionPlan, before: PairLook, after: PairLook, receipt: Receipt): string[] {
  const closed = Object.entries(before.units)
    .filter(([name, was]) => name.endsWith(".socket") && isUp(was))
    .filter(([name, was]) => after.units[name]!.invocation !== was.invocation || !isUp(after.units[name]!))
    .map(([name]) => name);
  const told = [...new Set(made.gaps.map(({ socket }) => socket))].sort();
  // A plan may say of a socket that it closes if a service runs.
  const sure = told.filter((name) => made.units.find(({ unit }) => unit === name)?.ifIdle === null);
  const isAsTold = closed.every((name) => told.includes(name)) && sure.every((name) => closed.includes(name));
  return [
    ...(isAsTold ? [] : [`sockets that close: planned ${told.join(", ")}, observed ${closed.sort().join(", ")}`]),
    ...(after.daemonReloads === receipt.daemonReloads
      ? []
      : [`the receipt tells of ${receipt.daemonReloads} daemon-reloads, there were ${after.daemonReloads}`]),
    ...(receipt.daemonReloads <= made.daemonReloads
      ? []
      : [`${made.daemonReloads} daemon-reloads planned, ${receipt.daemonReloads} made`]),
  ];
}

function wrongEnd(old: Bundle | undefined, next: Bundle, before: PairLook, after: PairLook): string[] {
  const wanted = new Map([
    ...next.units.map(({ path, content }) => [path, file(content, "-rw-r--r--")] as const),
    ...next.files.map(({ path, content }) => [path, file(content, "-rw-r--r--")] as const),
  ]);
  const paths = new Set([...wanted.keys(), ...[...(old?.units ?? []), ...(old?.files ?? [])].map(({ path }) => path)]);
  const links = next.units.flatMap(({ name, content }) =>
    [...content.matchAll(/^WantedBy=(.*)$/gm)].map(([, target]) => `${target}.wants/${name}`),
  );
  const listening = next.units.flatMap(({ content }) => /^ListenStream=(.*)$/m.exec(content)?.[1] ?? []);
  return [
    ...[...paths].filter((path) => wanted.get(path) !== after.files[path]).map((path) => `${path} is not as asked for`),
    ...same("links", links, after.links),
    ...same("addresses", listening, after.listening),
    ...next.units.flatMap((unit) => wrongUnit(unit, before.units[unit.name], after.units[unit.name])),
    ...Object.entries(after.units)
      .filter(([name, unit]) => !next.units.some((each) => each.name === name) && (isUp(unit) || unit.fragment !== ""))
      .map(([name]) => `${name} is still there`),
  ];
}

function wrongUnit(unit: Bundle["units"][number], was: LookedUnit | undefined, is: LookedUnit | undefined): string[] {
  if (was === undefined || is === undefined) return [];
  const isJob = isJobText(unit.content);
  const nice = Number(/^Nice=(.*)$/m.exec(unit.content)?.[1] ?? 0);
  // A job that becomes a service, and is to be left as it is: nothing runs, and the receipt warns of it.
  const isLeft = unit.onChange === "none" && was.load === "loaded" && !isUp(was);
  const follows = unit.onChange === "auto" || unit.onChange === "restart";
  const wrong = {
    "it is not loaded from its file": is.load !== "loaded" || is.fragment !== unit.path,
    "it needs a daemon-reload": is.needsReload !== "no",
    "it is not enabled": unit.enabled !== (is.enablement === "enabled"),
    "it is not up": unit.activation === "started" && !isJob && !isLeft && !isUp(is),
    "it has failed": is.active === "failed" || !["success", ""].includes(is.result),
    "its process has another Nice=": follows && is.nice !== null && is.nice !== nice,
  };
  return Object.entries(wrong).flatMap(([what, holds]) =>
    holds ? [`${unit.name}: ${what} (${JSON.stringify(is)})`] : [],
  );
}

function file(content: string, mode: string): string {
  return `${createHash("sha256").update(content).digest("hex")} ${mode} 0:0`;
}

function same(what: string, wanted: readonly string[], found: readonly string[]): string[] {
  const [one, other] = [[...wanted].sort().join(", "), [...found].sort().join(", ")];
  return one === other ? [] : [`${what}: wanted ${one}; found ${other}`];
}

function texts(title: string, bundle: Bundle | undefined): string {
  const units = (bundle?.units ?? []).map(({ name, content, onChange, activation, restartOn }) => {
    const more = `onChange ${onChange}, ${activation}, restartOn ${restartOn.files.join(" ")}`;
    return `  ${title} ${name} (${more})\n${content.replace(/^/gm, "    ").trimEnd()}\n`;
  });
  return units.join("");
}
