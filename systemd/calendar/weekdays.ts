import { FieldError } from "./field.ts";

const short = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;
const long = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/** The weekday (0 = Monday) of an English name, short or in full, in any case; undefined for any other word. */
function weekdayOf(word: string): number | undefined {
  const lower = word.toLowerCase();
  const index = long.findIndex((name) => name === lower || name.slice(0, 3) === lower);
  return index < 0 ? undefined : index;
}

/**
 * The weekdays that begin an expression, and what follows them. No weekdays (no restriction) if the expression does not
 * begin with one, or names all seven.
 *
 * @throws {FieldError} if the list is not `DAY`, `DAY..DAY` (also `DAY-DAY`), joined by commas.
 */
export function weekdaysOf(text: string): { readonly weekdays?: readonly number[]; readonly rest: string } {
  if (!/^(mon|tue|wed|thu|fri|sat|sun)/i.test(text)) return { rest: text };
  const [, list = "", rest = ""] = /^(\S*) *(.*)$/.exec(text) ?? [];
  const items = list.split(",");
  // One trailing comma is accepted.
  if (items.at(-1) === "") items.pop();
  const days = new Set<number>();
  for (const item of items) for (const day of daysOfItem(item, list)) days.add(day);
  return days.size === 7 ? { rest } : { weekdays: [...days].toSorted((a, b) => a - b), rest };
}

function daysOfItem(item: string, list: string): readonly number[] {
  const name = `weekday "${list}"`;
  const ends = item.split(/\.\.|-/);
  const [first, last = first] = ends.map((word) => {
    const day = weekdayOf(word);
    if (day === undefined)
      throw new FieldError(
        word === ""
          ? `${name}: a day is missing beside a comma or range`
          : `${name}: "${word}" is no day; accepted is ${short.join(", ")} or the full English name`,
      );
    return day;
  });
  if (first === undefined || last === undefined || ends.length > 2)
    throw new FieldError(`${name}: "${item}" is no range of two days`);
  if (last < first)
    throw new FieldError(
      `${name}: a range does not wrap around Sunday; write ${weekdaysText([...daysFrom(first, 6), ...daysFrom(0, last)])}`,
    );
  return daysFrom(first, last);
}

function daysFrom(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** Weekdays (0 = Monday) in systemd's normal form: `Mon..Fri`, `Sat,Sun`; three or more in a row become a range. */
export function weekdaysText(weekdays: readonly number[]): string {
  const sorted = [...new Set(weekdays)].toSorted((a, b) => a - b);
  const runs: { first: number; last: number }[] = [];
  for (const day of sorted) {
    const run = runs.at(-1);
    if (run !== undefined && run.last === day - 1) run.last = day;
    else runs.push({ first: day, last: day });
  }
  return runs
    .map(({ first, last }) =>
      first === last ? short[first] : `${short[first]}${last > first + 1 ? ".." : ","}${short[last]}`,
    )
    .join(",");
}
