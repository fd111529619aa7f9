import { type ClockChange, clockChanges } from "../calendar/clock-change.ts";
import { nextElapse } from "../calendar/elapse.ts";
import { CalendarError, type CalendarSpec, calendarWarnings, nextElapses, parsedCalendar } from "../calendar.ts";
import type { Lint, LintHit } from "./lint.ts";
import { type Assignment, itemsOf, type LintedUnit, quoted } from "./linted-unit.ts";

/** Calendar expressions that systemd accepts and that run at other times than they say. */
export const calendarLints: readonly Lint[] = [
  {
    id: "calendar-past",
    severity: "warning",
    why: "All times that the expression names are over, so the timer never runs again.",
    fix: "Write a time to come, or remove the timer.",
    hits: (unit, { now, timeZone }) =>
      now === undefined
        ? []
        : calendars(unit)
            .filter(({ at, spec }) => {
              const isPossible = nextElapse(spec, -1, spec.timeZone ?? "UTC") !== undefined;
              return (
                isPossible &&
                nextElapses(at.value, { after: now, count: 1, ...(timeZone === undefined ? {} : { timeZone }) })
                  .length === 0
              );
            })
            .map(({ at }) => ({ at, message: `${quoted(at)} is over` })),
  },
  {
    id: "calendar-lossy-step",
    severity: "warning",
    why: "systemd loses the first elapses after a step without an end has gone over two fields: `*:0/7` goes from 23:56 to 00:07.",
    fix: "Write the range with its end, such as `*:0..56/7`.",
    hits: (unit) =>
      calendars(unit).flatMap(({ at }) =>
        calendarWarnings(at.value).map((warning) => ({ at, message: `OnCalendar: ${warning}` })),
      ),
  },
  {
    id: "calendar-dst-gap",
    severity: "warning",
    why: "Where the clocks are set forward the time does not exist, and systemd leaves the run of that day out.",
    fix: "Write UTC behind the expression, or a time outside of the hour that is skipped.",
    hits: (unit, { now, timeZone }) =>
      calendars(unit).flatMap(({ at, spec }): LintHit[] => {
        if (spec.hour === undefined) return [];
        const zone = spec.timeZone ?? timeZone;
        if (zone === undefined) {
          const isInTypicalGap = spec.hour.some(
            ({ start, stop, step }) => start === 2 && stop === undefined && step === 0,
          );
          if (!isInTypicalGap) return [];
          const message = `${quoted(at)}: on a host in a zone with summer time, an hour around 2 does not exist on one day of the year`;
          return [{ at, message, severity: "info" }];
        }
        const today = now ?? someDay;
        const gaps = [0, 1].flatMap((years) => gapsOf(zone, today.getUTCFullYear() + years));
        const coming = gaps.filter(({ end }) => end > today.getTime());
        const gap = coming.find(({ start, end }) => {
          const next = nextElapse(spec, start * 1000 - 1, "UTC");
          return next !== undefined && next < end * 1000;
        });
        if (gap === undefined) return [];
        const [from, to] = [gap.start, gap.end].map((time) => new Date(time).toISOString().slice(11, 16));
        const day = new Date(gap.start).toISOString().slice(0, 10);
        return [
          {
            at,
            message: `${quoted(at)}: in ${zone} there is no time from ${from} to ${to} on ${day}, that run is left out`,
          },
        ];
      }),
  },
  {
    id: "calendar-summer-time",
    severity: "info",
    why: "When the clocks are set back, an hour is shown twice and counts once, so an hourly job misses one real hour.",
    fix: "Write UTC behind the expression, or OnUnitActiveSec=1h.",
    hits: (unit, { now }) =>
      calendars(unit).flatMap(({ at, spec }): LintHit[] => {
        if (spec.hour !== undefined || spec.timeZone === undefined) return [];
        if (gapsOf(spec.timeZone, (now ?? someDay).getUTCFullYear()).length === 0) return [];
        return [{ at, message: `${quoted(at)}: one hour is left out when summer time ends in ${spec.timeZone}` }];
      }),
  },
  {
    id: "legacy-time-zone",
    severity: "warning",
    why: "Debian 13 keeps old names of zones in a package of its own (tzdata-legacy); without it systemd ignores the line.",
    fix: "Write the zone by continent and city, such as America/New_York.",
    hits: (unit) =>
      calendars(unit)
        .filter(({ spec }) =>
          /^(US|Canada|Brazil|Chile|Mexico)\/|^(CET|MET|EET|WET|EST|MST|HST|EST5EDT|CST6CDT|MST7MDT|PST8PDT|GB|NZ|PRC|ROC|ROK|W-SU|Japan|Turkey|Poland|Portugal|Singapore|Hongkong|Israel|Iran|Egypt|Eire|Cuba)$/.test(
            spec.timeZone ?? "",
          ),
        )
        .map(({ at, spec }) => ({ at, message: `${quoted(at)}: Debian 13 does not know ${spec.timeZone} by itself` })),
  },
];

const someDay = new Date(Date.UTC(2026, 0, 1));

function calendars(unit: LintedUnit): readonly { readonly at: Assignment; readonly spec: CalendarSpec }[] {
  return itemsOf(unit, "Timer.OnCalendar").flatMap((at) => {
    if (at.value.includes("%")) return [];
    try {
      return [{ at, spec: parsedCalendar(at.value) }];
    } catch (error) {
      if (error instanceof CalendarError) return [];
      throw error;
    }
  });
}

/** The wall clock times that the clocks of a zone skip in a year. */
function gapsOf(zone: string, year: number): readonly ClockChange[] {
  return clockChanges(zone, Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1)).filter(({ kind }) => kind === "forward");
}
