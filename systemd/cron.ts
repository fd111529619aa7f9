import { isLossy } from "./calendar/lossy-step.ts";
import { weekdaysText } from "./calendar/weekdays.ts";
import { calendarProblem } from "./calendar.ts";

/** A crontab schedule in systemd's language. */
export interface CronConversion {
  /** Values of `OnCalendar=`, each for a line of its own; empty for `@reboot`, which is no calendar. */
  readonly onCalendar: readonly string[];
  /** What a person should know: where cron and systemd differ. */
  readonly notes: readonly string[];
}

/** A schedule that is not in the language of crontab(5). */
export class CronError extends Error {
  readonly cron: string;

  constructor(cron: string, reason: string) {
    super(`cron schedule ${JSON.stringify(cron)}: ${reason}`);
    this.name = "CronError";
    this.cron = cron;
  }
}

const macros: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

interface CronField {
  readonly name: string;
  readonly lowest: number;
  readonly highest: number;
  readonly names: readonly string[];
}

const minuteField: CronField = { name: "minute", lowest: 0, highest: 59, names: [] };
const hourField: CronField = { name: "hour", lowest: 0, highest: 23, names: [] };
const dayField: CronField = { name: "day of month", lowest: 1, highest: 31, names: [] };
const monthField: CronField = {
  name: "month",
  lowest: 1,
  highest: 12,
  names: "- jan feb mar apr may jun jul aug sep oct nov dec".split(" "),
};
const weekdayField: CronField = {
  name: "day of week",
  lowest: 0,
  highest: 7,
  names: "sun mon tue wed thu fri sat sun".split(" "),
};

/** One item of a comma list: from `start` to `stop` by `step`. */
interface CronItem {
  readonly start: number;
  readonly stop: number;
  readonly step: number;
}

/**
 * A schedule of crontab(5), five fields or a macro such as `@daily`, as values of `OnCalendar=`.
 *
 * Cron runs a job when the day of month OR the day of week matches, if both are restricted; that needs two lines.
 *
 * @param timeZone zone of the schedule (cron's `CRON_TZ=`); without it, the host's local zone counts, as in cron
 * @throws {CronError} if cron would not know the schedule.
 */
export function onCalendarOfCron(cron: string, timeZone?: string): CronConversion {
  const text = cron.trim();
  if (text.toLowerCase() === "@reboot")
    return {
      onCalendar: [],
      notes: ["@reboot is no calendar: use OnBootSec=0 in the timer, or WantedBy=multi-user.target in the service"],
    };
  const expanded = macros[text.toLowerCase()] ?? text;
  if (expanded.startsWith("@"))
    throw new CronError(cron, `no such macro; accepted is ${[...Object.keys(macros), "@reboot"].join(", ")}`);
  const fields = expanded.split(/\s+/);
  const [minuteText, hourText, dayText, monthText, weekdayText] = fields;
  if (
    fields.length !== 5 ||
    minuteText === undefined ||
    hourText === undefined ||
    dayText === undefined ||
    monthText === undefined ||
    weekdayText === undefined
  )
    throw new CronError(
      cron,
      `it has ${fields.length} fields; accepted are five: minute, hour, day of month, month, day of week (no command, no seconds)`,
    );
  const part = (field: CronField, value: string): string => calendarField(cron, field, value);
  const time = `${part(hourField, hourText)}:${part(minuteField, minuteText)}:00${timeZone === undefined ? "" : ` ${timeZone}`}`;
  const month = part(monthField, monthText);
  const day = part(dayField, dayText);
  const weekdays = weekdaysOfCron(cron, weekdayText);
  const restricted = !dayText.startsWith("*") && !weekdayText.startsWith("*");
  // Where cron runs on either, a field that lists all of its days (1-31, 0-6) stands for every day.
  const everyDay = restricted && (weekdays === "" || day === "*");
  const either = restricted && !everyDay;
  const onCalendar = everyDay
    ? [`*-${month}-* ${time}`]
    : either
      ? [`*-${month}-${day} ${time}`, `${weekdays} *-${month}-* ${time}`]
      : [`${weekdays === "" ? "" : `${weekdays} `}*-${month}-${day} ${time}`];
  return { onCalendar, notes: notesOf({ onCalendar, dayText, weekdayText, weekdays, either, day }) };
}

function notesOf(schedule: {
  readonly onCalendar: readonly string[];
  readonly dayText: string;
  readonly weekdayText: string;
  readonly weekdays: string;
  readonly either: boolean;
  readonly day: string;
}): readonly string[] {
  const { onCalendar, dayText, weekdayText, weekdays, either, day } = schedule;
  const notes: string[] = [];
  if (either) notes.push("cron runs on the days of the month and on the weekdays: one line for each");
  if (!either && weekdays !== "" && day !== "*" && (dayText.startsWith("*") || weekdayText.startsWith("*")))
    notes.push(
      `cron takes "${dayText}" and "${weekdayText}" as days that match both, because one begins with "*"; some cron implementations run on either`,
    );
  if (/\d\/\d/.test(day)) notes.push("systemd before 251 may leave out the 1st of a month after a short one");
  for (const expression of onCalendar) {
    const problem = calendarProblem(expression);
    if (problem !== undefined) notes.push(problem);
  }
  return notes;
}

function calendarField(cron: string, field: CronField, text: string): string {
  const items = itemsOf(cron, field, text);
  if (items.some(({ start, stop, step }) => start === field.lowest && stop === field.highest && step === 1)) return "*";
  return items.map((item) => calendarItem(field, item, items.length === 1)).join(",");
}

function calendarItem({ lowest, highest }: CronField, { start, stop, step }: CronItem, alone: boolean): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const last = stop - ((stop - start) % step);
  if (last === start) return two(start);
  if (step === 1) return `${two(start)}..${two(last)}`;
  // systemd loses values of some steps that have no end; a step with an end says the same.
  const open = alone && last + step > highest && !isLossy([{ start, step }], lowest, highest);
  return open ? `${two(start)}/${step}` : `${two(start)}..${two(last)}/${step}`;
}

function weekdaysOfCron(cron: string, text: string): string {
  const days = itemsOf(cron, weekdayField, text).flatMap(({ start, stop, step }) =>
    Array.from({ length: Math.floor((stop - start) / step) + 1 }, (_, index) => start + index * step),
  );
  // cron counts from Sunday (0 and 7), systemd from Monday.
  const weekdays = [...new Set(days.map((day) => (day + 6) % 7))];
  return weekdays.length === 7 ? "" : weekdaysText(weekdays);
}

function itemsOf(cron: string, field: CronField, text: string): readonly CronItem[] {
  return text.split(",").map((item) => itemOf(cron, field, item));
}

function itemOf(cron: string, field: CronField, item: string): CronItem {
  const fail = (reason: string): never => {
    throw new CronError(cron, `${field.name} "${item}": ${reason}`);
  };
  const match = /^(?:(\*)|(\w+)(?:-(\w+))?)(?:\/(\d+))?$/.exec(item);
  if (match === null) return fail('accepted is "*", N, N-M, each also with "/STEP", joined by commas');
  const [, star, startText = "", stopText, stepText] = match;
  const step = Number(stepText ?? 1);
  if (step < 1) return fail("the step is 0; write 1 or more");
  const highest = field === weekdayField && star !== undefined ? 6 : field.highest;
  if (star !== undefined) return { start: field.lowest, stop: highest, step };
  const valueOfName = (name: string): number => {
    const named = field.names.indexOf(name.toLowerCase());
    const value = named >= 0 ? named : /^\d+$/.test(name) ? Number(name) : Number.NaN;
    if (value >= field.lowest && value <= field.highest) return value;
    const names = field.names.length === 0 ? "" : ` or ${field.names.filter((word) => word !== "-").join(", ")}`;
    return fail(`"${name}" is not one of ${field.lowest}..${field.highest}${names}`);
  };
  const start = valueOfName(startText);
  if (stopText === undefined)
    return stepText === undefined ? { start, stop: start, step: 1 } : { start, stop: field.highest, step };
  const stop = valueOfName(stopText);
  // A range of names may end in Sunday, which is 7 there.
  const last = stop < start && field === weekdayField && stop === 0 ? 7 : stop;
  if (last < start) return fail("the range ends before it begins");
  return { start, stop: last, step };
}
