import timeZones from "../data/time-zones.json" with { type: "json" };

// Names of tzdata 2025b, with the old ones that Debian 13 has in the package tzdata-legacy.
const names: ReadonlySet<string> = new Set(timeZones);
const namesInAnyCase: ReadonlySet<string> = new Set(timeZones.map((name) => name.toLowerCase()));

/** Whether the tz database has a zone of exactly this name (the case counts: hosts look for a file of this name). */
export function isTimeZoneName(name: string): boolean {
  if (names.has(name)) return true;
  // A zone newer than our list: JavaScript's own database may know it, but ignores the case of known names.
  return /^[A-Z][\w+-]*\/[\w+/-]+$/.test(name) && !namesInAnyCase.has(name.toLowerCase()) && hasOffsets(name);
}

function hasOffsets(name: string): boolean {
  try {
    return formatOf(name) !== undefined;
  } catch {
    return false;
  }
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  formats.set(timeZone, format);
  return format;
}

/** What the clocks of a zone show minus UTC at an instant; both in milliseconds (the instant since 1970). */
function offsetAt(instant: number, timeZone: string): number {
  if (timeZone === "UTC") return 0;
  const field: Record<string, number> = {};
  for (const { type, value } of formatOf(timeZone).formatToParts(instant)) field[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = field;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instant / 1000) * 1000;
}

const oneDay = 86_400_000;

/** What the clocks of a zone show, as if it were UTC: milliseconds since 1970. */
export function wallClockOf(instant: number, timeZone: string): number {
  return instant + offsetAt(instant, timeZone);
}

/**
 * The instants (milliseconds since 1970, ascending) at which the clocks of a zone show a wall clock time: none if they
 * skip it when summer time begins, two if they are set back over it.
 */
export function instantsOf(wallClock: number, timeZone: string): readonly number[] {
  const offsets = new Set([offsetAt(wallClock - oneDay, timeZone), offsetAt(wallClock + oneDay, timeZone)]);
  return [...offsets]
    .map((offset) => wallClock - offset)
    .filter((instant) => wallClockOf(instant, timeZone) === wallClock)
    .toSorted((a, b) => a - b);
}
