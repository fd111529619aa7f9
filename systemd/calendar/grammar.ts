import { FieldError, fieldOf } from "./field.ts";
import { type CalendarComponent, CalendarError, type CalendarSpec, lastYear, microsecondsPerSecond } from "./spec.ts";
import { weekdaysOf } from "./weekdays.ts";
import { isTimeZoneName } from "./zone.ts";

const at = (...values: number[]): CalendarComponent[] => values.map((start) => ({ start, step: 0 }));
const midnight = { hour: at(0), minute: at(0), microsecond: at(0), endOfMonth: false };

const shorthands: Readonly<Record<string, CalendarSpec>> = {
  minutely: { microsecond: at(0), endOfMonth: false },
  hourly: { minute: at(0), microsecond: at(0), endOfMonth: false },
  daily: midnight,
  weekly: { ...midnight, weekdays: [0] },
  monthly: { ...midnight, day: at(1) },
  quarterly: { ...midnight, month: at(1, 4, 7, 10), day: at(1) },
  semiannually: { ...midnight, month: at(1, 7), day: at(1) },
  yearly: { ...midnight, month: at(1), day: at(1) },
};
const shorthandAliases: Readonly<Record<string, string>> = {
  annually: "yearly",
  anually: "yearly",
  biannually: "semiannually",
  "bi-annually": "semiannually",
  "semi-annually": "semiannually",
};

const grammar =
  'accepted is "[WEEKDAYS] [YEAR-MONTH-DAY] [HOUR:MINUTE[:SECOND]] [TIMEZONE]" in this order, or one of ' +
  `${Object.keys(shorthands).join(", ")}`;

/**
 * A calendar expression, as `OnCalendar=` reads it, in fields: systemd.time(7), CALENDAR EVENTS.
 *
 * Time zone names are checked against the tz database, not against a host: legacy names (`US/Eastern`, `CET`) pass, yet
 * Debian 13 hosts know them only with the package `tzdata-legacy`. `localtime`, `posix/...`, `right/...` and the short
 * name of a host's own zone (`CEST`) are refused, because their meaning depends on the host.
 *
 * @throws {CalendarError} if systemd would refuse it.
 */
export function parsedCalendar(expression: string): CalendarSpec {
  const fail = (reason: string): never => {
    throw new CalendarError(expression, reason);
  };
  if (expression.trim() === "") fail(`it is empty; ${grammar}`);
  if (/[^\x20-\x7e]/.test(expression)) fail("it has a character that is not printable ASCII");
  if (expression.startsWith(" ")) fail("it begins with a space; remove it");
  const { body, timeZone } = splitZone(expression);
  if (body === "") fail(`it has a time zone and nothing else; ${grammar}`);
  const zone = timeZone === undefined ? {} : { timeZone };

  const word = body.toLowerCase();
  const shorthand = shorthands[shorthandAliases[word] ?? word];
  if (shorthand !== undefined) return { ...shorthand, ...zone };

  try {
    const { weekdays, rest } = weekdaysOf(body);
    const dated = weekdays === undefined ? {} : { weekdays };
    if (rest.startsWith("@")) return { ...dated, ...specOfTimestamp(rest), timeZone: "UTC" };
    return { ...dated, ...dateAndTimeOf(rest), ...zone };
  } catch (error) {
    if (error instanceof FieldError) return fail(cronProblem(expression) ?? zoneProblem(expression) ?? error.message);
    throw error;
  }
}

function splitZone(expression: string): { body: string; timeZone?: string } {
  const space = expression.lastIndexOf(" ");
  if (space < 0) return { body: expression };
  const last = expression.slice(space + 1);
  // systemd takes "utc" in any case, every other name as the file is called.
  if (last.toUpperCase() === "UTC") return { body: expression.slice(0, space), timeZone: "UTC" };
  return isTimeZoneName(last) ? { body: expression.slice(0, space), timeZone: last } : { body: expression };
}

function specOfTimestamp(text: string): Omit<CalendarSpec, "timeZone" | "weekdays"> {
  const seconds = /^@\s*\+?(\d+)$/.exec(text)?.[1];
  if (seconds === undefined) throw new FieldError(`"${text}" is not "@" and a whole number of seconds since 1970`);
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() > lastYear)
    throw new FieldError(`"${text}" is after the year ${lastYear}, the last one that systemd knows`);
  return {
    year: at(date.getUTCFullYear()),
    month: at(date.getUTCMonth() + 1),
    day: at(date.getUTCDate()),
    endOfMonth: false,
    hour: at(date.getUTCHours()),
    minute: at(date.getUTCMinutes()),
    microsecond: at(date.getUTCSeconds() * microsecondsPerSecond),
  };
}

type DateFields = Pick<CalendarSpec, "year" | "month" | "day" | "endOfMonth">;
type TimeFields = Pick<CalendarSpec, "hour" | "minute" | "microsecond">;

function dateAndTimeOf(text: string): DateFields & TimeFields {
  const date = /^([^: ]*[-~][^ ]*) *(.*)$/.exec(text);
  if (date === null) return { endOfMonth: false, ...timeOf(text) };
  const [, dateText = "", timeText = ""] = date;
  return { ...dateOf(dateText), ...timeOf(timeText) };
}

function dateOf(text: string): DateFields {
  const parts = text.split(/[-~]/);
  if (parts.length > 3) throw new FieldError(`date "${text}" has more than three parts; write YEAR-MONTH-DAY`);
  const tilde = text.indexOf("~");
  const endOfMonth = tilde >= 0;
  if (endOfMonth && /[-~]/.test(text.slice(tilde + 1)))
    throw new FieldError(`date "${text}": "~" stands only before the day, as in "*-02~01" (the last day of February)`);
  const [day = "*", month = "*", year = "*"] = parts.toReversed();
  return {
    ...named("year", fieldOf("year", year)),
    ...named("month", fieldOf("month", month)),
    ...named("day", fieldOf("day", day, endOfMonth)),
    endOfMonth: endOfMonth && day !== "*",
  };
}

function timeOf(text: string): TimeFields {
  if (text === "") return { hour: at(0), minute: at(0), microsecond: at(0) };
  const space = text.indexOf(" ");
  if (space >= 0) {
    const rest = text.slice(space + 1);
    const what = rest.trim() === "" ? "a space" : `"${rest}"`;
    throw new FieldError(`${what} follows "${text.slice(0, space)}", where the expression must end; ${grammar}`);
  }
  const [hour, minute, second = "0", ...more] = text.split(":");
  if (hour === undefined || minute === undefined || more.length > 0)
    throw new FieldError(`"${text}" is neither a date nor a time; ${grammar}`);
  return {
    ...named("hour", fieldOf("hour", hour)),
    ...named("minute", fieldOf("minute", minute)),
    microsecond: fieldOf("second", second) ?? [{ start: 0, step: microsecondsPerSecond }],
  };
}

function named<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  // A computed key widens to string; the one key and its value are those of the type.
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}

function cronProblem(expression: string): string | undefined {
  return /^[\d*,/-]+( +[\w*,/-]+){4}$/.test(expression) || /^@[a-z]+$/i.test(expression)
    ? "this is cron's language; systemd has its own: onCalendarOfCron() converts it"
    : undefined;
}

function zoneProblem(expression: string): string | undefined {
  const [, before, last] = /^(.*\S) +([A-Za-z][\w+/-]*|[+-]\d\d:?\d\d)$/.exec(expression) ?? [];
  if (before === undefined || last === undefined || parses(last) || !parses(before)) return undefined;
  return (
    `"${last}" is no time zone; accepted is UTC or a name of the tz database, in its exact case, such as ` +
    '"Europe/Berlin" (no offsets, no short names such as CEST)'
  );
}

function parses(expression: string): boolean {
  try {
    parsedCalendar(expression);
    return true;
  } catch {
    return false;
  }
}
