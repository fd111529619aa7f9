import type { PlannedTimer } from "./planned-timer.ts";

/** Something about a stack's timers that a reviewer should see. */
export interface ScheduleNote {
  readonly kind: "clock-change" | "never" | "same-service" | "same-moment";
  readonly timers: readonly string[];
  readonly message: string;
}

/** What is worth a second look, in the order of the timers. */
export function scheduleNotes(timers: readonly PlannedTimer[]): ScheduleNote[] {
  return [...timers.flatMap(ownNotes), ...sameService(timers), ...sameMoment(timers)];
}

function ownNotes({ timer, onCalendar, onEvent, next, clockChanges }: PlannedTimer): ScheduleNote[] {
  const never: ScheduleNote[] =
    onCalendar.length > 0 && next.length === 0 && onEvent.length === 0
      ? [{ kind: "never", timers: [timer], message: `${timer} never elapses again: all its times are over` }]
      : [];
  const changes = clockChanges.map(({ onCalendar: expression, timeZone, effect, wallClock }): ScheduleNote => {
    const what =
      effect === "skipped"
        ? "does not exist there, so that run is left out; write UTC behind it, or another hour"
        : "comes twice there, and the first counts";
    return {
      kind: "clock-change",
      timers: [timer],
      message: `${timer} (${expression}): ${wallClock} ${timeZone} ${what}`,
    };
  });
  return [...never, ...changes];
}

/** Timers of one host that start the same unit: a run that is due while one is under way does not take place. */
function sameService(timers: readonly PlannedTimer[]): ScheduleNote[] {
  const started = timers.flatMap((timer) => timer.hosts.map((host) => ({ host, timer })));
  const groups = Map.groupBy(started, ({ host, timer }) => `${timer.starts}\0${host}`);
  const found = new Map<string, { timers: string[]; starts: string; hosts: string[] }>();
  for (const group of groups.values()) {
    const names = [...new Set(group.map(({ timer }) => timer.timer))].sort();
    const [first] = group;
    if (names.length < 2 || first === undefined) continue;
    const id = `${names.join()} ${first.timer.starts}`;
    const known = found.get(id) ?? { timers: names, starts: first.timer.starts, hosts: [] };
    found.set(id, { ...known, hosts: [...known.hosts, first.host] });
  }
  return [...found.values()].map(({ timers: names, starts, hosts }) => ({
    kind: "same-service",
    timers: names,
    message: `${names.join(" and ")} start the same ${starts} on ${hosts.sort().join(", ")}: of two runs at a time, one takes place`,
  }));
}

/** Hosts that do the same thing at the same moment, and what jitter makes of that. */
function sameMoment(timers: readonly PlannedTimer[]): ScheduleNote[] {
  return timers
    .filter(({ hosts, onCalendar }) => hosts.length > 1 && onCalendar.length > 0)
    .map(({ timer, hosts, jitterSec, fixedJitter }) => ({
      kind: "same-moment",
      timers: [timer],
      message:
        jitterSec === 0
          ? `${timer} fires on ${hosts.length} hosts in the same second; randomizedDelaySec spreads them`
          : `${timer} fires on ${hosts.length} hosts within ${spread(jitterSec)}, on average one every ${spread(jitterSec / hosts.length)}${fixedJitter ? ", each at its own fixed moment" : ""}`,
    }));
}

function spread(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds * 10) / 10} s`;
  return seconds < 7200 ? `${Math.round(seconds / 6) / 10} min` : `${Math.round(seconds / 360) / 10} h`;
}
