// Cron schedules, 30 recorded pairs and random ones: when an evaluator of crontab(5) that knows nothing of systemd says that
// they run, our conversion must elapse, by our own reading of it and by `systemd-analyze calendar` of 252 and 257.
import type { SandboxHost } from "../../sandbox/host.ts";
import { systemdVersion } from "../../sandbox/release.ts";
import { nextElapses } from "../../systemd/calendar.ts";
import { onCalendarOfCron } from "../../systemd/cron.ts";
import recorded from "../../test/systemd/data/cron-cases.json" with { type: "json" };
import { type CalendarQuestion, toolAnswers } from "./calendar.ts";
import { nextCronRuns } from "./cron-runs.ts";
import { compared, type Draw, isScript, joined, type Measurement, onHosts, printedMeasurement } from "./measurement.ts";
import { randomSchedules } from "./random-cron.ts";

const count = 5;

/** A schedule and the time after which it shall run. */
interface CronQuestion {
  readonly cron: string;
  /** ISO 8601 in UTC, whole seconds. */
  readonly after: string;
}

const bases = ["2024-02-27T10:17:23Z", "2024-12-28T23:59:59Z", "2025-02-27T23:00:00Z"];

/** The recorded schedules, then random ones. */
export function cronQuestions(draw: Draw): {
  readonly recorded: readonly CronQuestion[];
  readonly random: readonly CronQuestion[];
} {
  return {
    recorded: recorded.map(({ cron }) => ({ cron, after: "2024-02-27T10:17:23Z" })),
    random: randomSchedules(draw).map((cron, index) => ({ cron, after: bases[index % bases.length]! })),
  };
}

/** Compares our elapses, and those that the tool of a host says of our lines, with the runs of cron. */
export async function cronMeasurement(
  host: SandboxHost,
  what: string,
  questions: readonly CronQuestion[],
): Promise<Measurement> {
  const systemd = systemdVersion[host.release];
  const converted = questions.map(({ cron, after }) =>
    onCalendarOfCron(cron).onCalendar.map((expression): CalendarQuestion => ({ expression, zone: "UTC", after })),
  );
  const answers = await toolAnswers(host, converted.flat());
  let asked = 0;
  const cases = questions.map(({ cron, after }, index) => {
    const lines = converted[index]!;
    const own = lines.flatMap(({ expression }) =>
      nextElapses(expression, { after: new Date(after), count }).map((time) => `${time.toISOString().slice(0, 19)}Z`),
    );
    const told = answers.slice(asked, asked + lines.length).flatMap(({ next }) => next);
    asked += lines.length;
    return {
      input: `${cron}  after ${after}: ${lines.map(({ expression }) => expression).join(" | ")}`,
      runs: nextCronRuns(cron, after, count),
      own: earliest(own),
      told: earliest(told),
    };
  });
  return joined([
    compared(
      `${what}: our elapses and cron's`,
      systemd,
      cases.map(({ input, own, runs }) => ({ input, ours: own, theirs: runs })),
    ),
    compared(
      `${what}: systemd's elapses and cron's`,
      systemd,
      cases.map(({ input, told, runs }) => ({ input, ours: told, theirs: runs })),
    ),
  ]);
}

const earliest = (times: readonly string[]): readonly string[] => [...new Set(times)].sort().slice(0, count);

if (isScript(import.meta.filename)) {
  await printedMeasurement(500, (draw) =>
    onHosts(["bookworm", "trixie"], async (hosts) => {
      const questions = cronQuestions(draw);
      const measured = hosts.map(async (host) =>
        joined([
          await cronMeasurement(host, "recorded schedules", questions.recorded),
          await cronMeasurement(host, "random schedules", questions.random),
        ]),
      );
      return joined(await Promise.all(measured));
    }),
  );
}
