import { didYouMean } from "../nearest.ts";
import { received } from "./value-check.ts";

/** A text that is no time span. */
export class TimeSpanError extends Error {
  override readonly name = "TimeSpanError";
}

const microsecond = 1_000n;
const second = 1_000_000n * microsecond;

const nanosecondsOf: Readonly<Record<string, bigint>> = {
  nsec: 1n,
  ns: 1n,
  usec: microsecond,
  us: microsecond,
  "\u00b5s": microsecond,
  "\u03bcs": microsecond,
  msec: 1_000n * microsecond,
  ms: 1_000n * microsecond,
  seconds: second,
  second,
  sec: second,
  s: second,
  minutes: 60n * second,
  minute: 60n * second,
  min: 60n * second,
  m: 60n * second,
  hours: 3_600n * second,
  hour: 3_600n * second,
  hr: 3_600n * second,
  h: 3_600n * second,
  days: 86_400n * second,
  day: 86_400n * second,
  d: 86_400n * second,
  weeks: 604_800n * second,
  week: 604_800n * second,
  w: 604_800n * second,
  months: 2_629_800n * second,
  month: 2_629_800n * second,
  M: 2_629_800n * second,
  years: 31_557_600n * second,
  year: 31_557_600n * second,
  y: 31_557_600n * second,
};

const largest = (2n ** 64n - 2n) * microsecond;
const example = 'write e.g. "90s" or "1min 30s"';

/** How a time span without a unit is read. */
export interface TimeSpanOptions {
  /** Unit of a number that has none. Only `ns` allows nanoseconds at all. @default "s" */
  readonly bareUnit?: "s" | "us" | "ns";
}

/**
 * A time span of systemd.time(7) in microseconds: numbers with units (`us ms s min h d w month y` and their longer
 * forms; `M` is months, `m` minutes) that add up, such as `1min 30s`, `1.5h` or `2h30min`; `infinity` is Infinity.
 * Above 2^53 (285 years) the result is the nearest number that JavaScript has.
 * @throws TimeSpanError
 */
export function parsedTimeSpan(text: string, options: TimeSpanOptions = {}): number {
  const span = nanosecondsIn(text, options.bareUnit ?? "s");
  return span === "infinity" ? Number.POSITIVE_INFINITY : Number(span / microsecond);
}

/** Why a text is no time span, or undefined where it is one. */
export function timeSpanProblem(text: string, options: TimeSpanOptions = {}): string | undefined {
  try {
    nanosecondsIn(text, options.bareUnit ?? "s");
    return undefined;
  } catch (error) {
    if (error instanceof TimeSpanError) return error.message;
    throw error;
  }
}

const printedUnits = [
  ["y", 31_557_600_000_000],
  ["month", 2_629_800_000_000],
  ["w", 604_800_000_000],
  ["d", 86_400_000_000],
  ["h", 3_600_000_000],
  ["min", 60_000_000],
  ["s", 1_000_000],
  ["ms", 1_000],
  ["us", 1],
] as const;

/**
 * A time span in the normal form that systemd prints: `1min 30s`, `1.500000s`, `100ms`, `0`, `infinity`.
 * @param microseconds Whole number from 0 to 2^53, or Infinity.
 * @throws RangeError for any other number.
 */
export function formattedTimeSpan(microseconds: number): string {
  if (microseconds === Number.POSITIVE_INFINITY) return "infinity";
  if (!Number.isSafeInteger(microseconds) || microseconds < 0) {
    throw new RangeError(`a time span is a whole number of microseconds from 0 on, or Infinity; got ${microseconds}`);
  }
  const parts: string[] = [];
  let rest = microseconds;
  for (const [unit, size] of printedUnits) {
    if (rest < size) continue;
    const below = rest % size;
    const count = Math.floor(rest / size);
    if (rest < 60_000_000 && below > 0) {
      parts.push(`${count}.${String(below).padStart(String(size).length - 1, "0")}${unit}`);
      break;
    }
    parts.push(`${count}${unit}`);
    rest = below;
  }
  return parts.length === 0 ? "0" : parts.join(" ");
}

function nanosecondsIn(text: string, bareUnit: "s" | "us" | "ns"): bigint | "infinity" {
  const spoken = text.replace(/^[ \t\n\r]+|[ \t\n\r]+$/g, "");
  if (spoken === "infinity") return "infinity";
  const refuse = (reason: string, hint = ""): never => {
    throw new TimeSpanError(`${received(text)} is not a time span: ${reason}; ${example}${hint}`);
  };
  if (spoken === "") return refuse("it is empty");
  const part = /[ \t\n\r]*(\+?\d+(?:\.\d+)?|\.\d+)([ \t\n\r]*)([^ \t\n\r\d.+-]*)/y;
  let total = 0n;
  let index = 0;
  while (index < spoken.length) {
    part.lastIndex = index;
    const found = part.exec(spoken);
    if (found === null) {
      const rest = spoken.slice(index).trim();
      return refuse(rest.startsWith("-") ? "it is negative" : `${received(rest)} does not begin with a number`);
    }
    const [whole, number = "", blanks = "", unit = ""] = found;
    index += whole.length;
    if (unit === "" && blanks === "" && index < spoken.length) {
      return refuse(`a unit or a blank must stand before ${received(spoken.slice(index))}`);
    }
    total += scaled(number, nanosecondsOfUnit(unit === "" ? bareUnit : unit, bareUnit, refuse));
  }
  if (total > largest) return refuse("it is longer than 584542 years; use infinity");
  return total;
}

function nanosecondsOfUnit(unit: string, bareUnit: string, refuse: (reason: string, hint?: string) => never): bigint {
  const size = Object.hasOwn(nanosecondsOf, unit) ? nanosecondsOf[unit] : undefined;
  if (size !== undefined && (size >= microsecond || bareUnit === "ns")) return size;
  const known = Object.keys(nanosecondsOf).filter(
    (name) => /^[a-zA-Z]+$/.test(name) && (bareUnit === "ns" || !/^ns/.test(name)),
  );
  return refuse(`${received(unit)} is no unit`, didYouMean(unit, known));
}

/** The number times the unit; digits of a fraction that are finer than a nanosecond are dropped. */
function scaled(number: string, unit: bigint): bigint {
  const [whole = "", fraction = ""] = number.replace("+", "").split(".");
  const fine = fraction === "" ? 0n : (BigInt(fraction) * unit) / 10n ** BigInt(fraction.length);
  return BigInt(whole === "" ? "0" : whole) * unit + fine;
}
