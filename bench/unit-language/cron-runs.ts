/**
 * The next times at which Vixie cron runs a schedule, from the rules of crontab(5) alone: it is the other side of a
 * comparison, so it shares nothing with systemd/cron.ts. Times are ISO 8601 in UTC; at most 40 years ahead.
 */
export function nextCronRuns(cron: string, after: string, count: number): readonly string[] {
  const text = macros.get(cron.trim().toLowerCase()) ?? cron.trim();
  const fields = text.split(/\s+/);
  const [minutes, hours, days, months, weekdays] = fields.map((field, index) => valuesOf(field, index));
  const anyDay = fields[2]!.startsWith("*") || fields[4]!.startsWith("*");
  const runs: string[] = [];
  const start = new Date(after).getTime();
  const midnight = start - (start % 86_400_000);
  for (let day = 0; day < 40 * 366 && runs.length < count; day += 1) {
    const date = new Date(midnight + day * 86_400_000);
    if (!months!.has(date.getUTCMonth() + 1)) continue;
    const onDay = days!.has(date.getUTCDate());
    const onWeekday = weekdays!.has(date.getUTCDay()) || (date.getUTCDay() === 0 && weekdays!.has(7));
    if (anyDay ? !(onDay && onWeekday) : !(onDay || onWeekday)) continue;
    for (let minute = 0; minute < 1440 && runs.length < count; minute += 1) {
      const time = date.getTime() + minute * 60_000;
      if (time > start && hours!.has(Math.floor(minute / 60)) && minutes!.has(minute % 60)) {
        runs.push(`${new Date(time).toISOString().slice(0, 19)}Z`);
      }
    }
  }
  return runs;
}

const macros = new Map([
  ["@yearly", "0 0 1 1 *"],
  ["@annually", "0 0 1 1 *"],
  ["@monthly", "0 0 1 * *"],
  ["@weekly", "0 0 * * 0"],
  ["@daily", "0 0 * * *"],
  ["@midnight", "0 0 * * *"],
  ["@hourly", "0 * * * *"],
]);

const bounds = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
] as const;
const monthNames = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const dayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

function valuesOf(field: string, index: number): ReadonlySet<number> {
  const [low, high] = bounds[index]!;
  const numberOf = (word: string): number => {
    const name = word.toLowerCase();
    if (index === 3 && monthNames.includes(name)) return monthNames.indexOf(name) + 1;
    if (index === 4 && dayNames.includes(name)) return dayNames.indexOf(name);
    return Number(word);
  };
  const values = new Set<number>();
  for (const item of field.split(",")) {
    const [range = "", step = "1"] = item.split("/");
    const [first = "", last] = range.split("-");
    const from = range === "*" ? low : numberOf(first);
    // Cronie: a single number with a step goes on to the end of the field.
    const to =
      range === "*" ? (index === 4 ? 6 : high) : last !== undefined ? numberOf(last) : item.includes("/") ? high : from;
    for (let value = from; value <= to; value += Number(step)) values.add(value);
  }
  return values;
}
