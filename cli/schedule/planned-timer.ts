import { changedElapses } from "../../systemd/calendar/clock-change.ts";
import { nextElapses, parsedCalendar } from "../../systemd/calendar.ts";
import type { UnitModel } from "../../systemd/sections.ts";
import { parsedTimeSpan } from "../../systemd/values/time-span.ts";
import type { StackHost, StackUnit } from "../stack/stack-hosts.ts";

/** From when, how far and in which zone timers are looked at. */
export interface ScheduleWindow {
  readonly from: Date;
  /** Time zone of every host, for expressions that name none. */
  readonly timeZone: string;
  /** The most elapses of one timer that are listed. */
  readonly count: number;
}

/** One timer on the hosts that have it word by word the same. */
export interface PlannedTimer {
  /** File name: `nightly.timer`. */
  readonly timer: string;
  /** Names of the hosts, sorted. */
  readonly hosts: readonly string[];
  /** The unit that it starts. */
  readonly starts: string;
  /** Values of `OnCalendar=`. */
  readonly onCalendar: readonly string[];
  /** What counts from an event instead of the clock: `OnBootSec=15min`. */
  readonly onEvent: readonly string[];
  /** Longest random delay in seconds. */
  readonly jitterSec: number;
  /** Whether a host draws its delay once and for all. */
  readonly fixedJitter: boolean;
  /** Whether a run that was missed is made up for at boot. */
  readonly persistent: boolean;
  /** Next elapses without jitter, ISO 8601 in UTC. */
  readonly next: readonly string[];
  /** The elapses of the next seven days without jitter, ISO 8601 in UTC; no more than `weekLimit`. */
  readonly week: readonly string[];
  /** Elapses in the next year that a change of the clocks touches. */
  readonly clockChanges: readonly PlannedClockChange[];
}

/** An elapse that a change of the clocks leaves out, or that it would show twice. */
export interface PlannedClockChange {
  readonly onCalendar: string;
  readonly timeZone: string;
  /** `skipped`: it does not take place on that day. `repeated`: of the two, the first takes place. */
  readonly effect: "skipped" | "repeated";
  /** Wall clock time, `2026-03-29 02:30:00`. */
  readonly wallClock: string;
}

/** Above this many elapses a week nobody tells them apart: the picture shows a band. */
export const weekLimit = 1000;

const day = 86_400_000;
const eventTriggers = ["OnActiveSec", "OnBootSec", "OnStartupSec", "OnUnitActiveSec", "OnUnitInactiveSec"];
const switchTriggers = ["OnClockChange", "OnTimezoneChange"];

/** The timers of all hosts, by name; those that are word by word the same on several hosts once. */
export function plannedTimers(hosts: readonly StackHost[], window: ScheduleWindow): PlannedTimer[] {
  const all = hosts.flatMap((host) =>
    host.units
      .filter(({ name }) => name.endsWith(".timer") && !name.includes("@."))
      .map((unit) => ({ host: host.name, unit, id: JSON.stringify([unit.name, unit.model]) })),
  );
  return [...Map.groupBy(all, ({ id }) => id).values()]
    .flatMap((same) => {
      const [first] = same;
      return first === undefined ? [] : [plannedTimer(first.unit, same.map(({ host }) => host).sort(), window)];
    })
    .sort((a, b) => (a.timer === b.timer ? compared(a.hosts.join(), b.hosts.join()) : compared(a.timer, b.timer)));
}

function compared(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function plannedTimer({ name, model }: StackUnit, hosts: readonly string[], window: ScheduleWindow): PlannedTimer {
  const { from, timeZone, count } = window;
  const onCalendar = values(model, "OnCalendar");
  const until = from.getTime() + 7 * day;
  const elapses = (limit: number) =>
    [
      ...new Set(
        onCalendar.flatMap((expression) =>
          nextElapses(expression, { after: from, count: limit, timeZone }).map((time) => time.getTime()),
        ),
      ),
    ].sort((a, b) => a - b);
  const iso = (time: number) => new Date(time).toISOString();
  return {
    timer: name,
    hosts,
    starts: values(model, "Unit").at(-1) ?? name.replace(/\.timer$/, ".service"),
    onCalendar,
    onEvent: [
      ...eventTriggers.flatMap((key) => values(model, key).map((value) => `${key}=${value}`)),
      ...switchTriggers.filter((key) => isYes(model, key)).map((key) => `${key}=yes`),
    ],
    jitterSec: parsedTimeSpan(values(model, "RandomizedDelaySec").at(-1) ?? "0") / 1_000_000,
    fixedJitter: isYes(model, "FixedRandomDelay"),
    persistent: isYes(model, "Persistent"),
    next: elapses(count).slice(0, count).map(iso),
    week: elapses(weekLimit)
      .filter((time) => time < until)
      .slice(0, weekLimit)
      .map(iso),
    clockChanges: onCalendar.flatMap((expression) =>
      changedElapses(expression, from.getTime(), from.getTime() + 365 * day, timeZone).map(({ kind, wallClock }) => ({
        onCalendar: expression,
        timeZone: parsedCalendar(expression).timeZone ?? timeZone,
        effect: kind === "forward" ? ("skipped" as const) : ("repeated" as const),
        wallClock: iso(wallClock).slice(0, 19).replace("T", " "),
      })),
    ),
  };
}

/** What is assigned to a directive of [Timer]; an empty assignment takes back those before it. */
function values(model: UnitModel, key: string): string[] {
  const assigned = [model.Timer?.[key] ?? []].flat();
  return assigned.slice(assigned.lastIndexOf("") + 1);
}

function isYes(model: UnitModel, key: string): boolean {
  return /^(1|y|yes|t|true|on)$/i.test(values(model, key).at(-1) ?? "");
}
