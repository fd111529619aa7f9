import { calendarWarnings, nextElapses, normalizedCalendar } from "../systemd/calendar.ts";
import { onCalendarOfCron } from "../systemd/cron.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./unit-source.ts";

/** Options of `pulumi-systemd calendar`. */
export interface CalendarOptions {
  base?: string;
  iterations: number;
  timezone: string;
  cron?: boolean;
  json?: boolean;
}

/** What `calendar --json EXPR` prints. */
export interface CalendarReport {
  readonly expression: string;
  readonly normalized: string;
  /** Elapses after the base, ISO 8601 in UTC. */
  readonly next: readonly string[];
}

/** What `calendar --json --cron EXPR` prints. */
export interface CronReport {
  readonly cron: string;
  readonly onCalendar: readonly string[];
  readonly next: readonly string[];
}

/**
 * Prints the normal form of a calendar expression, or what a cron schedule is in systemd's language, and the next elapses.
 * @returns the exit status
 */
export function calendar(expression: string, options: CalendarOptions, terminal: Terminal): number {
  const after = baseTime(options.base);
  const { iterations: count } = options;
  const timeZone = knownZone(options.timezone);
  const { onCalendar, notes } =
    options.cron === true
      ? onCalendarOfCron(expression)
      : { onCalendar: [expression], notes: calendarWarnings(expression) };
  const normalized = onCalendar.map(normalizedCalendar);
  const elapses = onCalendar.flatMap((line) => nextElapses(line, { after, count, timeZone }));
  const next = [...new Set(elapses.map((time) => time.getTime()))]
    .sort((a, b) => a - b)
    .slice(0, count)
    .map((time) => new Date(time).toISOString());
  if (options.json === true) {
    const report: CalendarReport | CronReport =
      options.cron === true
        ? { cron: expression, onCalendar, next }
        : { expression, normalized: normalized[0] ?? "", next };
    terminal.print(JSON.stringify(report, null, 2));
    return 0;
  }
  const { strong, faint, warning } = terminal.style;
  const lines = options.cron === true ? onCalendar : normalized;
  terminal.print(...lines.map((line) => `${faint("OnCalendar=")}${strong(line)}`));
  terminal.print(...(next.length > 0 ? next.map((time) => `  ${time}`) : [`  ${warning("never elapses")}`]));
  terminal.print(...notes.map((note) => `${warning("note:")} ${note}`));
  return 0;
}

/**
 * A time zone that was given on the command line.
 * @throws UsageError when there is no such zone
 */
export function knownZone(timeZone: string): string {
  try {
    new Intl.DateTimeFormat("en-US", { timeZone });
    return timeZone;
  } catch {
    throw new UsageError(
      `--timezone ${JSON.stringify(timeZone)} is no time zone; write a name of the tz database such as Europe/Berlin`,
    );
  }
}

/**
 * The moment that was given on the command line, UTC unless it says otherwise; now without one.
 * @throws UsageError when it is no time
 */
export function baseTime(base: string | undefined): Date {
  if (base === undefined) return new Date();
  const time = new Date(
    /^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2})?)?$/.test(base)
      ? `${base.replace(" ", "T")}Z`.replace(/^(\d{4}-\d{2}-\d{2})Z$/, "$1")
      : base,
  );
  if (Number.isNaN(time.getTime())) {
    throw new UsageError(`--base ${JSON.stringify(base)} is not a time; write e.g. 2026-03-29T00:30:00Z`);
  }
  return time;
}
