/**
 * The calendar of a pause between checks. Checks of one process need wall-clock times: a monotonic timer starts anew each
 * time that another one has run the common service.
 */
const units = [
  { seconds: 1, name: "s", inNext: 60, calendar: (count: number) => `*:*:0/${count}` },
  { seconds: 60, name: "min", inNext: 60, calendar: (count: number) => `*:0/${count}` },
  { seconds: 3600, name: "h", inNext: 24, calendar: (count: number) => `0/${count}:00` },
] as const;

/**
 * The `OnCalendar=` that comes every so many seconds, all day.
 * @throws Error when no calendar does
 */
export function everyCalendar(seconds: number): string {
  if (seconds === 86_400) return "*-*-* 00:00:00";
  for (const { seconds: unit, inNext, calendar } of units) {
    const count = seconds / unit;
    if (!Number.isInteger(count) || count >= inNext) continue;
    if (inNext % count === 0) return calendar(count);
  }
  throw new Error(`${seconds} s ${everyProblem(seconds)}`);
}

/** Why checks cannot come every so many seconds, or undefined where they can. */
export function everyProblem(seconds: number): string | undefined {
  const possible = possiblePauses();
  if (possible.some((pause) => pause.seconds === seconds)) return undefined;
  const below = possible.filter((pause) => pause.seconds < seconds).at(-1);
  const above = possible.find((pause) => pause.seconds > seconds);
  const near = [below, above].flatMap((pause) => (pause === undefined ? [] : [`"${pause.text}"`])).join(" or ");
  return `does not come round at the same times each day; write ${near}, or give onCalendar`;
}

function possiblePauses(): { seconds: number; text: string }[] {
  const pauses = units.flatMap(({ seconds, name, inNext }) =>
    Array.from({ length: inNext - 1 }, (_, index) => index + 1)
      .filter((count) => inNext % count === 0)
      .map((count) => ({ seconds: seconds * count, text: `${count}${name}` })),
  );
  return [...pauses, { seconds: 86_400, text: "1d" }];
}
