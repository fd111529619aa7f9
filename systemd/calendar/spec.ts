/** `start`, `start..stop` or `start..stop/step` of one field of a calendar expression. */
export interface CalendarComponent {
  readonly start: number;
  /** Last value of a range; absent: no range. */
  readonly stop?: number;
  /** Distance between two values, from `start` on; 0: only `start`. Of a plain range it is 1 (1 second for seconds). */
  readonly step: number;
}

/**
 * A calendar expression (systemd.time(7), CALENDAR EVENTS) in fields. A field that is absent matches every value; its
 * components are alternatives, sorted. Weekday, date and time must all match.
 */
export interface CalendarSpec {
  /** 0 = Monday ... 6 = Sunday, ascending; absent: every day. */
  readonly weekdays?: readonly number[];
  readonly year?: readonly CalendarComponent[];
  /** 1 = January. */
  readonly month?: readonly CalendarComponent[];
  /** Day of the month from 1; with `endOfMonth`, 1 is the last day. */
  readonly day?: readonly CalendarComponent[];
  readonly endOfMonth: boolean;
  readonly hour?: readonly CalendarComponent[];
  readonly minute?: readonly CalendarComponent[];
  /** Seconds of the minute, in microseconds (systemd keeps six digits of a fraction). */
  readonly microsecond: readonly CalendarComponent[];
  /** Name in the host's zoneinfo directory, or `UTC`; absent: the host's local zone. */
  readonly timeZone?: string;
}

/** First and last year that a calendar expression can name. */
export const firstYear = 1970;
export const lastYear = 2199;

export const microsecondsPerSecond = 1_000_000;

/** An expression that systemd would refuse in `OnCalendar=`. The message says which part, what is accepted, what to write. */
export class CalendarError extends Error {
  readonly expression: string;
  /** What is wrong, without the expression in front. */
  readonly reason: string;

  constructor(expression: string, reason: string) {
    super(`calendar expression ${JSON.stringify(expression)}: ${reason}`);
    this.name = "CalendarError";
    this.expression = expression;
    this.reason = reason;
  }
}
