import { type CalendarComponent, firstYear, lastYear, microsecondsPerSecond } from "./spec.ts";

export type FieldKind = "year" | "month" | "day" | "hour" | "minute" | "second";

/** A part of an expression is wrong; `parsedCalendar` puts the whole expression in front. */
export class FieldError extends Error {}

const bounds: Readonly<Record<FieldKind, { readonly from: number; readonly to: number; readonly shown: string }>> = {
  year: { from: firstYear, to: lastYear, shown: `${firstYear}..${lastYear}` },
  month: { from: 1, to: 12, shown: "1..12" },
  day: { from: 1, to: 31, shown: "1..31" },
  hour: { from: 0, to: 23, shown: "0..23" },
  minute: { from: 0, to: 59, shown: "0..59" },
  second: { from: 0, to: 60 * microsecondsPerSecond - 1, shown: "0..59" },
};

/** systemd's own limit on the comma list of one field. */
const mostComponents = 241;

/**
 * The components of one field, sorted and in normal form; undefined for `*`, which matches every value.
 *
 * @throws {FieldError} if systemd would refuse the field.
 */
export function fieldOf(kind: FieldKind, text: string, endOfMonth = false): readonly CalendarComponent[] | undefined {
  if (text === "*") return undefined;
  const name = `${kind} "${text}"`;
  if (text === "") throw new FieldError(`the ${kind} is missing; write a number or "*"`);
  const items = text.split(",");
  if (items.length > mostComponents) throw new FieldError(`the ${kind} lists more than ${mostComponents} values`);
  const components = unique(items.map((item) => normalForm(componentOf(kind, item, name))).toSorted(order));
  for (const [index, component] of components.entries()) checkBounds(kind, component, name, endOfMonth ? index + 1 : 0);
  return components;
}

function componentOf(kind: FieldKind, item: string, name: string): CalendarComponent {
  if (item.startsWith("*/")) {
    const low = kind === "month" || kind === "day" ? "1" : kind === "year" ? "1970" : "0";
    throw new FieldError(`${name}: a step needs a start; write "${low}${item.slice(1)}" in place of "${item}"`);
  }
  const match = /^(\d+(?:\.\d+)?)(?:\.\.(\d+(?:\.\d+)?))?(?:\/(\d+(?:\.\d+)?))?$/.exec(item);
  if (match === null || (kind !== "second" && /\d\.\d/.test(item))) throw new FieldError(`${name}: ${refusalOf(item)}`);
  const [, startText = "", stopText, stepText] = match;
  const start = valueIn(kind, startText, name);
  const stop = stopText === undefined ? undefined : valueIn(kind, stopText, name);
  const unit = kind === "second" ? microsecondsPerSecond : 1;
  const step = stepText === undefined ? (stop === undefined ? 0 : unit) : scaled(kind, stepText, name);
  if (stepText !== undefined && step === 0) throw new FieldError(`${name}: the step is 0; write 1 or more`);
  if (kind === "second" && stepText === undefined && stop !== undefined && start + step > stop)
    throw new FieldError(`${name}: the range is shorter than one second; write one value or give a step`);
  return { start, ...(stop === undefined ? {} : { stop }), step };
}

function refusalOf(item: string): string {
  if (item === "") return "a value is missing beside a comma";
  if (/^\d+-\d+/.test(item)) return `a range is written with "..", as in "${item.replace("-", "..")}"`;
  if (item.includes("*")) return `"*" stands alone, not in "${item}"`;
  return `"${item}" is not N, N..M, N/STEP or N..M/STEP with whole numbers (seconds may have a fraction)`;
}

function valueIn(kind: FieldKind, digits: string, name: string): number {
  const value = scaled(kind, digits, name);
  if (kind !== "year" || value >= 100) return value;
  return value < 70 ? value + 2000 : value + 1900;
}

function scaled(kind: FieldKind, digits: string, name: string): number {
  const [whole = "0", fraction = ""] = digits.split(".");
  // systemd rounds a fraction at the sixth digit, half up.
  const microseconds = Number(fraction.slice(0, 6).padEnd(6, "0")) + (/^\d{6}[5-9]/.test(fraction) ? 1 : 0);
  const value = kind === "second" ? Number(whole) * microsecondsPerSecond + microseconds : Number(whole);
  if (value > 2 ** 31 - 1) throw new FieldError(`${name}: ${digits} is too large`);
  return value;
}

/** @param fromEnd position (from 1) in a list of days that are counted from the end of the month; 0: counted normally */
function checkBounds(kind: FieldKind, { start, stop, step }: CalendarComponent, name: string, fromEnd: number): void {
  const { from, shown } = bounds[kind];
  // A day counted from the end must exist in every month; systemd takes 3 off again for every further one of a list.
  const to = bounds[kind].to - 3 * fromEnd;
  const range = fromEnd > 0 ? `1..${to} (counted from the end of the month)` : shown;
  const unit = kind === "second" ? microsecondsPerSecond : 1;
  for (const value of stop === undefined ? [start] : [start, stop])
    if (value < from || value > to)
      throw new FieldError(`${name}: ${value / unit} is out of range; accepted is ${range}`);
  if (stop !== undefined && stop < start)
    throw new FieldError(
      `${name}: a range does not wrap around; ${fromEnd > 0 ? "write the smaller number first" : "write two ranges, such as 22..23,0..5"}`,
    );
  const beyond = stop === undefined && (fromEnd > 0 ? start - step < from : start + step > to);
  if (step > to - from || beyond)
    throw new FieldError(
      `${name}: with a step of ${step / unit} no second value fits into ${range}; write "${start / unit}" alone`,
    );
}

function normalForm({ start, stop, step }: CalendarComponent): CalendarComponent {
  if (stop === undefined) return { start, step };
  if (stop < start) return { start, stop, step };
  const last = stop - ((stop - start) % step);
  return last === start ? { start, step: 0 } : { start, stop: last, step };
}

function order(a: CalendarComponent, b: CalendarComponent): number {
  return a.start - b.start || (a.stop ?? -1) - (b.stop ?? -1) || a.step - b.step;
}

function unique(sorted: readonly CalendarComponent[]): readonly CalendarComponent[] {
  return sorted.filter((component, index) => {
    const before = sorted[index - 1];
    return before === undefined || order(before, component) !== 0;
  });
}
