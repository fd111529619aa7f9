import { type CalendarComponent, type CalendarSpec, microsecondsPerSecond } from "./spec.ts";

interface SteppedField {
  readonly key: "day" | "hour" | "minute" | "microsecond";
  readonly shown: string;
  readonly lowest: number;
  readonly highest: number;
  readonly unit: number;
  /** When the loss happens. */
  readonly after: string;
}

const fields: readonly SteppedField[] = [
  { key: "day", shown: "day", lowest: 1, highest: 31, unit: 1, after: "the end of a year (systemd before 257.13)" },
  { key: "hour", shown: "hour", lowest: 0, highest: 23, unit: 1, after: "the end of a month" },
  { key: "minute", shown: "minute", lowest: 0, highest: 59, unit: 1, after: "midnight" },
  {
    key: "microsecond",
    shown: "second",
    lowest: 0,
    highest: 60 * microsecondsPerSecond - 1,
    unit: microsecondsPerSecond,
    after: "the end of an hour",
  },
];

/**
 * The elapses that a host would leave out, as messages for a person. systemd loses the first values of a field when a
 * step without an end is carried over two fields (measured on 252 and 257): `*:0/7` does not elapse at 00:00. An end,
 * `*:0..56/7`, avoids it.
 */
export function lossySteps(spec: CalendarSpec): readonly string[] {
  return fields.flatMap(({ key, shown, lowest, highest, unit, after }) => {
    const components = spec[key];
    if (components === undefined || (key === "day" && spec.endOfMonth)) return [];
    const first = Math.min(...components.map(({ start }) => start));
    const open = components.find(isOpen);
    if (open === undefined || firstAfterCarry(components, lowest, highest) <= first) return [];
    const { start, step } = open;
    const [from, to, by] = [start, lastOf(open, highest), step].map((value) => value / unit);
    return [`after ${after}, ${shown} ${first / unit} is lost: write ${from}..${to}/${by} in place of ${from}/${by}`];
  });
}

/** Whether systemd loses values of a field; `lowest` and `highest` are the field's bounds. */
export function isLossy(components: readonly CalendarComponent[], lowest: number, highest: number): boolean {
  return firstAfterCarry(components, lowest, highest) > Math.min(...components.map(({ start }) => start));
}

/** The value from which on systemd looks for the next one after it has carried the field over two others. */
function firstAfterCarry(components: readonly CalendarComponent[], lowest: number, highest: number): number {
  const last = Math.max(...components.map((component) => lastOf(component, highest)));
  const beyond = components.filter(isOpen).map((component) => lastOf(component, highest) + component.step);
  if (last === highest || beyond.length === 0) return lowest;
  return Math.min(...beyond) - (highest - lowest + 1);
}

function isOpen({ stop, step }: CalendarComponent): boolean {
  return stop === undefined && step > 0;
}

function lastOf({ start, stop, step }: CalendarComponent, highest: number): number {
  if (step === 0) return start;
  return start + Math.floor(((stop ?? highest) - start) / step) * step;
}
