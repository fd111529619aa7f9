import { nextElapse } from "./calendar/elapse.ts";
import { parsedCalendar } from "./calendar/grammar.ts";
import { lossySteps } from "./calendar/lossy-step.ts";
import { calendarText } from "./calendar/normal-form.ts";
import { CalendarError } from "./calendar/spec.ts";

export { parsedCalendar } from "./calendar/grammar.ts";
export { type CalendarComponent, CalendarError, type CalendarSpec } from "./calendar/spec.ts";

/**
 * Why an `OnCalendar=` expression does not work, as a message for a person; undefined if it does.
 *
 * Besides what systemd refuses, it reports what systemd accepts but never runs: a date that no calendar has
 * (`*-02-30`, `Mon 2024-02-28`). A date in the past is no problem here: ask `nextElapses` with the time of today.
 */
export function calendarProblem(expression: string): string | undefined {
  try {
    const spec = parsedCalendar(expression);
    if (nextElapse(spec, -1, spec.timeZone ?? "UTC") !== undefined) return undefined;
    return new CalendarError(
      expression,
      `it never elapses: no day and time from 1970 to 2199 matches "${calendarText(spec)}"`,
    ).message;
  } catch (error) {
    if (error instanceof CalendarError) return error.message;
    throw error;
  }
}

/**
 * Elapses of an `OnCalendar=` expression that a host would leave out, though the expression asks for them, as messages
 * for a person; mostly none. A step without an end loses values in systemd: `*:0/7` runs at 23:56 and next at 00:07.
 *
 * @throws {CalendarError} if systemd would refuse the expression.
 */
export function calendarWarnings(expression: string): readonly string[] {
  return lossySteps(parsedCalendar(expression)).map(
    (warning) => `calendar expression ${JSON.stringify(expression)}: ${warning}`,
  );
}

/**
 * The normal form of an `OnCalendar=` expression, as `systemd-analyze calendar` prints it: `daily` is
 * `*-*-* 00:00:00`.
 *
 * @throws {CalendarError} if systemd would refuse the expression.
 */
export function normalizedCalendar(expression: string): string {
  return calendarText(parsedCalendar(expression));
}

/** From when on, how many, and in which zone `nextElapses` answers. */
export interface ElapseOptions {
  /** Only instants after this one. */
  readonly after: Date;
  /** The most instants to return. */
  readonly count: number;
  /**
   * The host's local time zone, for an expression that names none.
   *
   * @default "UTC"
   */
  readonly timeZone?: string;
}

/**
 * The next instants at which an `OnCalendar=` expression elapses, ascending, to the millisecond (rounded down); fewer
 * than `count` if it runs out. A timer may fire later than this by its `AccuracySec=` and `RandomizedDelaySec=`.
 *
 * As systemd does it: a wall clock time that the zone skips when summer time begins does not elapse on that day, one
 * that it shows twice when summer time ends elapses the first time only.
 *
 * @throws {CalendarError} if systemd would refuse the expression.
 * @throws {RangeError} if `timeZone` is no zone that JavaScript knows.
 */
export function nextElapses(expression: string, options: ElapseOptions): readonly Date[] {
  const spec = parsedCalendar(expression);
  const timeZone = spec.timeZone ?? options.timeZone ?? "UTC";
  const elapses: Date[] = [];
  let after = options.after.getTime() * 1000;
  while (elapses.length < options.count) {
    const next = nextElapse(spec, after, timeZone);
    if (next === undefined) break;
    elapses.push(new Date(Math.floor(next / 1000)));
    after = next;
  }
  return elapses;
}
