import { type CalendarComponent, type CalendarSpec, microsecondsPerSecond } from "./spec.ts";
import { weekdaysText } from "./weekdays.ts";

/** The normal form of a calendar expression, as `systemd-analyze calendar` prints it. */
export function calendarText(spec: CalendarSpec): string {
  const date = `${chain(spec.year)}-${chain(spec.month)}${spec.endOfMonth ? "~" : "-"}${chain(spec.day)}`;
  const time = `${chain(spec.hour)}:${chain(spec.minute)}:${secondsChain(spec.microsecond)}`;
  const weekdays = spec.weekdays === undefined ? [] : [weekdaysText(spec.weekdays)];
  return [...weekdays, date, time, ...(spec.timeZone === undefined ? [] : [spec.timeZone])].join(" ");
}

function chain(components: readonly CalendarComponent[] | undefined): string {
  return components?.map((component) => item(component, 1)).join(",") ?? "*";
}

function secondsChain(components: readonly CalendarComponent[]): string {
  const everySecond = components.some(
    ({ start, stop, step }) => start === 0 && stop === undefined && step === microsecondsPerSecond,
  );
  return everySecond ? "*" : components.map((component) => item(component, microsecondsPerSecond)).join(",");
}

function item({ start, stop, step }: CalendarComponent, unit: number): string {
  const range = stop === undefined ? number(start, unit) : `${number(start, unit)}..${number(stop, unit)}`;
  return step === 0 || (stop !== undefined && step === unit) ? range : `${range}/${number(step, unit, 1)}`;
}

function number(value: number, unit: number, width = 2): string {
  const fraction = value % unit === 0 ? "" : `.${String(value % unit).padStart(6, "0")}`;
  return String(Math.floor(value / unit)).padStart(width, "0") + fraction;
}
