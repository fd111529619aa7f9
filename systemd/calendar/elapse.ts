import { type CalendarComponent, type CalendarSpec, lastYear, microsecondsPerSecond } from "./spec.ts";
import { instantsOf, wallClockOf } from "./zone.ts";

/**
 * The first instant after another at which a calendar expression elapses, in microseconds since 1970; undefined if it
 * never does again (systemd looks no further than the year 2199).
 *
 * As systemd does it (measured): a wall clock time that the zone skips does not elapse on that day. When the clocks are
 * set back, an hour that is shown twice elapses the first time only, unless `after` lies in its second time.
 */
export function nextElapse(spec: CalendarSpec, after: number, timeZone: string): number | undefined {
  const start = after + 1;
  const startMillisecond = Math.floor(start / 1000);
  let from = wallClockOf(startMillisecond, timeZone) * 1000 + (start - startMillisecond * 1000);
  for (;;) {
    const wallClock = nextWallClock(spec, from);
    if (wallClock === undefined) return undefined;
    const millisecond = Math.floor(wallClock / 1000);
    const elapse = instantsOf(millisecond, timeZone)
      .map((instant) => instant * 1000 + (wallClock - millisecond * 1000))
      .find((instant) => instant > after);
    if (elapse !== undefined) return elapse;
    from = wallClock + 1;
  }
}

/** What a clock shows: year, month (from 1), day, hour, minute, microsecond of the minute. */
type Clock = [year: number, month: number, day: number, hour: number, minute: number, microsecond: number];

const lowest = [1970, 1, 1, 0, 0, 0] as const;

/** The first wall clock time, from one on, that matches; as if it were UTC, in microseconds since 1970. */
function nextWallClock(spec: CalendarSpec, from: number): number | undefined {
  let clock = clockOf(Math.max(from, 0));
  let field = 0;
  while (field < clock.length) {
    const [year, month] = clock;
    const value = nextMatch(componentsOf(spec, field, year, month), clock[field]!);
    if (field === 0 && (value === undefined || value > lastYear)) return undefined;
    if (value === undefined) {
      clock = clockOf(microsecondsOf(raised(clock, field - 1, clock[field - 1]! + 1)));
      field = 0;
    } else if (value > highestOf(field, year, month)) {
      clock = carried(raised(clock, field, value));
      field = 0;
    } else {
      if (value !== clock[field]) clock = raised(clock, field, value);
      if (field === 2 && !isOnWeekday(spec, clock)) {
        clock = clockOf(microsecondsOf(raised(clock, field, value + 1)));
        field = 0;
      } else field += 1;
    }
  }
  return microsecondsOf(clock);
}

function componentsOf(
  spec: CalendarSpec,
  field: number,
  year: number,
  month: number,
): readonly CalendarComponent[] | undefined {
  if (field !== 2) return [spec.year, spec.month, undefined, spec.hour, spec.minute, spec.microsecond][field];
  return spec.endOfMonth ? spec.day?.map((component) => fromEnd(component, monthLength(year, month))) : spec.day;
}

function highestOf(field: number, year: number, month: number): number {
  return field === 2 ? monthLength(year, month) : [lastYear, 12, 0, 23, 59, 60 * microsecondsPerSecond - 1][field]!;
}

function monthLength(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** One field set, and those below it at their lowest. */
function raised(clock: Clock, field: number, value: number): Clock {
  const at = (index: number): number => (index < field ? clock[index]! : index === field ? value : lowest[index]!);
  return [at(0), at(1), at(2), at(3), at(4), at(5)];
}

/**
 * A field that a step has driven over its highest value, carried into the fields above. systemd then sets back only the
 * field below the highest one that changed, so that a step which carries two fields far loses the first values of the
 * next round: `*:0/7` goes from 23:56 to 00:07 (measured on 252 and 257; a step with an end, `*:0..59/7`, has not this
 * fault). We answer what the host will do. Of days, 257.13 loses none at the end of a year; we keep to 252.
 */
function carried(clock: Clock): Clock {
  const next = clockOf(microsecondsOf(clock));
  const changed = next.findIndex((value, index) => value !== clock[index]);
  const at = (index: number): number => (index === changed + 1 ? lowest[index]! : next[index]!);
  return [at(0), at(1), at(2), at(3), at(4), at(5)];
}

function clockOf(microseconds: number): Clock {
  const minutes = Math.floor(microseconds / (60 * microsecondsPerSecond));
  const date = new Date(minutes * 60_000);
  return [
    date.getUTCFullYear(),
    date.getUTCMonth() + 1,
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    microseconds - minutes * 60 * microsecondsPerSecond,
  ];
}

function microsecondsOf([year, month, day, hour, minute, microsecond]: Clock): number {
  return Date.UTC(year, month - 1, day, hour, minute) * 1000 + microsecond;
}

function isOnWeekday(spec: CalendarSpec, [year, month, day]: Clock): boolean {
  if (spec.weekdays === undefined) return true;
  const sundayFirst = new Date(Date.UTC(year, month - 1, day)).getUTCDay();
  return spec.weekdays.includes((sundayFirst + 6) % 7);
}

/** A day counted from the end of a month of so many days, counted from its beginning. */
function fromEnd({ start, stop, step }: CalendarComponent, length: number): CalendarComponent {
  const day = length + 1 - start;
  return stop === undefined ? { start: day, step } : { start: length + 1 - stop, stop: day, step };
}

/** The lowest value of a field from one on; it may be over the field's highest. Undefined: there is none. */
function nextMatch(field: readonly CalendarComponent[] | undefined, from: number): number | undefined {
  if (field === undefined) return from;
  const values = field.map((component) => nextOfComponent(component, from)).filter((value) => value !== undefined);
  return values.length === 0 ? undefined : Math.min(...values);
}

function nextOfComponent({ start, stop, step }: CalendarComponent, from: number): number | undefined {
  if (start >= from) return start;
  if (step === 0) return undefined;
  const value = start + Math.ceil((from - start) / step) * step;
  return stop !== undefined && value > stop ? undefined : value;
}
