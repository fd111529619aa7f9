// Random crontabs over a whole year: the minutes at which our conversion elapses, by our own reading of it (which is compared
// with systemd's in calendar.ts and cron.ts), and those at which croniter, a maintained library, runs them.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { commandOutput } from "../../setup/command.ts";
import { virtualEnvironment } from "../../setup/virtual-environment.ts";
import { nextElapses } from "../../systemd/calendar.ts";
import { onCalendarOfCron } from "../../systemd/cron.ts";
import { compared, type Draw, joined, printedMeasurement } from "./measurement.ts";
import { randomCrontabs } from "./random-cron.ts";

const oracle = "croniter==7.0.0";
/** A leap year, and one that is none. */
const years = [2027, 2028];

interface YearRuns {
  readonly runs: number;
  readonly digest: string;
}

/**
 * The same schedule in words that croniter reads as crontab(5) has them: it takes a range of one value, `3-3`, for all of the
 * field, and lets `4/3` among the days of the week end on Saturday, where cronie goes on to 7, which is Sunday.
 */
function plainly(line: string): string {
  const fields = line.split(" ").map((field) => field.replaceAll(/(?<![\d/])(\d+)-\1(?!\d)(\/\d+)?/g, "$1"));
  const days = fields[4]?.replaceAll(/(?<![\d/-])(\d)\/(\d+)/g, (_, first, step) =>
    Array.from({ length: 8 }, (_, day) => day)
      .filter((day) => day >= Number(first) && (day - Number(first)) % Number(step) === 0)
      .join(","),
  );
  return [...fields.slice(0, 4), ...(days === undefined ? [] : [days])].join(" ");
}

const secondsOfYear = (year: number) => Date.UTC(year, 0, 1) / 1000;

function ourRuns(lines: readonly string[], year: number): YearRuns {
  const minutes = new Set<number>();
  const until = secondsOfYear(year + 1) * 1000;
  for (const expression of lines.flatMap((line) => onCalendarOfCron(line).onCalendar)) {
    let after = new Date(secondsOfYear(year) * 1000 - 1000);
    for (;;) {
      const elapses = nextElapses(expression, { after, count: 100 }).filter((elapse) => elapse.getTime() < until);
      for (const elapse of elapses) minutes.add(elapse.getTime() / 60_000);
      if (elapses.length < 100) break;
      after = elapses.at(-1) ?? after;
    }
  }
  const text = [...minutes]
    .sort((one, other) => one - other)
    .map((minute) => `${minute}\n`)
    .join("");
  return { runs: minutes.size, digest: createHash("sha256").update(text).digest("hex") };
}

async function theirRuns(crontabs: readonly (readonly string[])[], year: number): Promise<readonly YearRuns[]> {
  const bin = await virtualEnvironment(
    { folder: "bench-tools", pins: [oracle], purpose: "the cron library that ours is compared with" },
    console.error,
  );
  const questions = crontabs.map((lines) => ({
    lines: lines.map(plainly),
    after: secondsOfYear(year) - 1,
    until: secondsOfYear(year + 1),
  }));
  const command = [join(bin, "python"), join(import.meta.dirname, "croniter-year.py")];
  const answer = await commandOutput("croniter", command, { stdin: JSON.stringify(questions), timeoutSec: 3600 });
  return JSON.parse(answer);
}

await printedMeasurement(200, async (draw: Draw) => {
  const crontabs = randomCrontabs(draw);
  const parts = years.map((year, index) => ({
    year,
    crontabs: crontabs.filter((_, at) => at % years.length === index),
  }));
  let runs = 0;
  const measured = [];
  for (const { year, crontabs: some } of parts) {
    const theirs = await theirRuns(some, year);
    const cases = some.map((lines, index) => {
      const ours = ourRuns(lines, year);
      runs += ours.runs;
      return { input: lines.join("\n"), ours, theirs: theirs[index] };
    });
    measured.push(compared(`crontabs, all of ${year}: our elapses and croniter's`, 0, cases));
  }
  return { ...joined(measured), notes: [`${runs} runs in all, compared with ${oracle}; no systemd is asked here`] };
});
