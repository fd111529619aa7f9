import type { HostDrift } from "../drift.ts";
import type { PlannedTimer } from "../schedule/planned-timer.ts";
import type { ScheduleNote } from "../schedule/schedule-notes.ts";
import type { AcceptedChange } from "./exposure-baseline.ts";
import { type HostChange, heaviestAction } from "./host-change.ts";
import type { ReviewedPolicies } from "./policy-verdicts.ts";

/** A waiver that a definition of the new state has. */
export interface ReviewedWaiver {
  /** The unit or the host that has it. */
  readonly on: string;
  readonly policy: string;
  readonly reason: string;
  readonly until: string;
  /** Whole days after today; below 0 it is over. */
  readonly daysLeft: number;
  /** Whether the old state did not have it. */
  readonly isNew: boolean;
}

/** What `review --json` prints: all that a reviewer needs, of which Markdown and HTML are pictures. */
export interface ReviewReport {
  readonly project: string;
  readonly stack: string;
  /** What it is compared with: `main`, `rendered/`. */
  readonly base: string;
  readonly hosts: readonly HostChange[];
  /** Hosts of which a part is not known without an update, and which parts. */
  readonly unknown: readonly { readonly host: string; readonly parts: readonly string[] }[];
  /** What the policies say of the new state, and what is solved. */
  readonly policies: ReviewedPolicies;
  /** What the baseline of exposures accepts now and did not before, or the other way round. */
  readonly acceptedExposures: readonly AcceptedChange[];
  readonly waivers: readonly ReviewedWaiver[];
  /** How the hosts differ now from what was applied to them; null where nobody asked. */
  readonly drift: readonly HostDrift[] | null;
  /** Timers that are new or changed, with their next elapses. */
  readonly timers: readonly PlannedTimer[];
  readonly scheduleNotes: readonly ScheduleNote[];
  /** What a reader must know about all of this. */
  readonly notes: readonly string[];
}

/** The headline: how many hosts change, and the heaviest of what happens. */
export function headline({ hosts, unknown }: ReviewReport): string {
  const count = (wanted: (change: HostChange) => boolean) =>
    hosts.filter(wanted).reduce((sum, change) => sum + change.hosts.length, 0);
  const total = count(() => true) + unknown.length;
  const changing = count(({ kind }) => kind !== "unchanged");
  if (changing + unknown.length === 0) return `nothing changes on ${numbered(total, "host")}`;
  const units = hosts.flatMap((change) => change.units.map((unit) => ({ times: change.hosts.length, ...unit })));
  const tally = (["stop", "stop+start", "restart", "start", "reload"] as const)
    .map((action) => ({
      action,
      times: sum(units.filter((unit) => heaviestAction(unit) === action).map(({ times }) => times)),
    }))
    .filter(({ times }) => times > 0)
    .map(({ action, times }) => numbered(times, action));
  const gaps = sum(hosts.map((change) => change.plan.gaps.length * change.hosts.length));
  const hooks = sum(hosts.map((change) => change.plan.hooks.length * change.hosts.length));
  return [
    `${changing} of ${numbered(total, "host")} ${changing === 1 ? "changes" : "change"}`,
    ...tally,
    ...(hooks > 0 ? [`${numbered(hooks, "hook")} ${hooks === 1 ? "runs" : "run"}`] : []),
    ...(gaps > 0 ? [`${numbered(gaps, "listening socket")} closed`] : []),
    ...(unknown.length > 0 ? [`${numbered(unknown.length, "host")} not wholly known`] : []),
  ].join(", ");
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** `1 host`, `3 hosts`. */
export function numbered(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/** The names of a group's hosts, cut where they would fill the page. */
export function hostList(hosts: readonly string[], limit = 6): string {
  return hosts.length <= limit
    ? hosts.join(", ")
    : `${hosts.slice(0, limit).join(", ")} and ${hosts.length - limit} more`;
}

/** `7.6 -> 1.3`, `new at 1.3`. */
export function exposureText(exposure: { before: number | null; after: number | null } | null): string {
  if (exposure === null) return "";
  const { before, after } = exposure;
  if (before === null) return after === null ? "" : `new at ${after.toFixed(1)}`;
  if (after === null) return "";
  return before === after ? after.toFixed(1) : `${before.toFixed(1)} \u2192 ${after.toFixed(1)}`;
}
