import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { Bundle } from "../../activation/bundle.ts";
import type { TransactionPlan } from "../../activation/plan.ts";

/** One question to the host program's planner: on-demand units of the old state all run, or none does. */
export interface PlanQuestion {
  readonly old: Bundle | undefined;
  readonly next: Bundle;
  readonly onDemand: "idle" | "running";
}

/** What is to happen to each unit, without the reasons. */
export interface PlannedActions {
  readonly units: Readonly<Record<string, { readonly action: string; readonly enablement: string }>>;
  /** Kind and unit of each that runs, sorted. */
  readonly hooks: readonly string[];
  readonly daemonReloads: number;
  readonly conflicts: readonly string[];
}

/** The host program's plans, by its own code in a Python of this machine. @throws Error with what it said */
export function hostPlans(questions: readonly PlanQuestion[]): PlannedActions[] {
  const input = questions.map(({ old, next, onDemand }) => JSON.stringify({ old: old ?? null, new: next, onDemand }));
  const done = spawnSync("python3", [join(import.meta.dirname, "host", "plan_of_bundles.py")], {
    input: input.join("\n"),
    encoding: "utf8",
    timeout: 120_000,
    maxBuffer: 1 << 28,
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" },
  });
  if (done.status !== 0) throw new Error(`the host program's planner ended with ${done.status}\n${done.stderr}`);
  return done.stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

/** The same of a plan made here. */
export function plannedActions(
  { units, steps, hooks, daemonReloads }: TransactionPlan,
  onDemand: "idle" | "running",
): PlannedActions {
  const entries = units.map(({ unit, action, enablement, ifIdle }) => {
    return [unit, { action: onDemand === "idle" ? (ifIdle ?? action) : action, enablement }] as const;
  });
  // Without a hand-over of a service that runs there is no second one.
  const handedOver = steps.flatMap(({ step, of }) => (step === "hand-over" ? of : []));
  const idle = onDemand === "idle" ? units.filter(({ ifIdle }) => ifIdle !== null).map(({ unit }) => unit) : [];
  const needless = handedOver.length > 0 && handedOver.every((name) => idle.includes(name));
  return {
    units: Object.fromEntries(entries),
    hooks: hooks.map(({ kind, unit }) => `${kind} ${unit}`).sort(),
    daemonReloads: daemonReloads - (needless ? 1 : 0),
    conflicts: [],
  };
}
