// Random OnCalendar= expressions, good and bad, in several zones and from several base times: the normal form and the next
// five elapses against `systemd-analyze calendar` of 252 and 257.
import fc from "fast-check";
import type { SandboxHost } from "../../sandbox/host.ts";
import { systemdVersion } from "../../sandbox/release.ts";
import { CalendarError, nextElapses, normalizedCalendar } from "../../systemd/calendar.ts";
import { hostCommandResults } from "./host-commands.ts";
import { compared, type Draw, isScript, joined, type Measurement, onHosts, printedMeasurement } from "./measurement.ts";
import { randomCalendar } from "./random-calendar.ts";

/** An expression, the zone of the host, and the time after which it shall elapse. */
export interface CalendarQuestion {
  readonly expression: string;
  /** The host's time zone (`TZ=`). */
  readonly zone: string;
  /** ISO 8601 in UTC, whole seconds. */
  readonly after: string;
}

/** What an expression means; a refused one has neither. Times are ISO 8601 in UTC, cut to seconds. */
export interface CalendarAnswer {
  readonly normalized: string | undefined;
  readonly next: readonly string[];
  /** systemd accepts the expression and then fails to find when it elapses. */
  readonly isGivenUp?: true;
}

const givenUp =
  "systemd accepts the expression and fails with EDEADLK (Infinite loop in calendar calculation); seen only in zones with " +
  "summer time, while it answers in others";

const iterations = 5;
const zones = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo"];
// Beside two quiet days: shortly before leap days, ends of years, and both changes of summer time in Berlin and New York.
const bases = [
  "2024-02-27T10:17:23Z",
  "2023-07-14T00:00:00Z",
  "2024-12-28T23:59:59Z",
  "2024-03-30T12:00:00Z",
  "2024-10-26T12:00:00Z",
  "2025-03-08T20:00:00Z",
  "2025-11-01T20:00:00Z",
  "1999-12-31T23:59:59Z",
];

const question = fc.record({
  expression: randomCalendar,
  zone: fc.constantFrom(...zones),
  after: fc.constantFrom(...bases),
});

/** Random questions. */
export function calendarQuestions({ seed, count }: Draw): readonly CalendarQuestion[] {
  return fc.sample(question, { seed, numRuns: count });
}

/** Compares normal forms and elapses with what the tool of a host says. */
export async function calendarMeasurement(
  host: SandboxHost,
  questions: readonly CalendarQuestion[],
): Promise<Measurement> {
  const systemd = systemdVersion[host.release];
  const theirs = await toolAnswers(host, questions);
  const cases = questions.map((question, index) => ({
    input: JSON.stringify(question),
    ours: ourAnswer(question),
    theirs: theirs[index],
    ...(theirs[index]?.isGivenUp ? { reason: givenUp } : {}),
  }));
  const [accepted, refused] = [cases.filter(isAccepted), cases.filter((item) => !isAccepted(item))];
  return joined([
    compared("calendar expressions that systemd accepts", systemd, accepted),
    compared("calendar expressions that systemd refuses", systemd, refused),
  ]);
}

const isAccepted = ({ theirs }: { readonly theirs: CalendarAnswer | undefined }) =>
  theirs?.normalized !== undefined || theirs?.isGivenUp === true;

function ourAnswer({ expression, zone, after }: CalendarQuestion): CalendarAnswer {
  try {
    const elapses = nextElapses(expression, { after: new Date(after), count: iterations, timeZone: zone });
    return { normalized: normalizedCalendar(expression), next: elapses.map((time) => isoSeconds(time)) };
  } catch (error) {
    if (!(error instanceof CalendarError)) throw error;
    return { normalized: undefined, next: [] };
  }
}

/** What `systemd-analyze calendar` of a host answers. */
export async function toolAnswers(
  host: SandboxHost,
  questions: readonly CalendarQuestion[],
): Promise<readonly CalendarAnswer[]> {
  const results = await hostCommandResults(
    host,
    questions.map(({ expression, zone, after }) => ({
      command: [
        ...["systemd-analyze", "calendar", `--iterations=${iterations}`],
        ...[`--base-time=${after.replace("T", " ").replace("Z", " UTC")}`, "--", expression],
      ],
      env: { TZ: zone },
    })),
  );
  return results.map(({ code, stdout, stderr }) => {
    if (code === 0) return answerOf(stdout);
    const refused = { normalized: undefined, next: [] };
    return stderr.includes("Resource deadlock avoided") ? { ...refused, isGivenUp: true } : refused;
  });
}

function answerOf(stdout: string): CalendarAnswer {
  const next: string[] = [];
  let normalized: string | undefined;
  for (const line of stdout.split("\n")) {
    const [, label = "", value = ""] = /^ *([^:]+): (.*)$/.exec(line) ?? [];
    if (label === "Normalized form") normalized = value;
    // A local time is followed by the same in UTC, unless the zone is UTC.
    if (label === "(in UTC)") next[next.length - 1] = value;
    if ((label === "Next elapse" || /^Iter(\.|ation) #\d+$/.test(label)) && value !== "never") next.push(value);
  }
  return {
    normalized,
    next: next.map((text) => {
      const [, date, time] = /^\w{3} (\S+) (\S+) UTC$/.exec(text) ?? [];
      if (date === undefined) throw new Error(`systemd-analyze calendar shows the time ${JSON.stringify(text)}`);
      return `${date}T${time}Z`;
    }),
  };
}

function isoSeconds(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

if (isScript(import.meta.filename)) {
  await printedMeasurement(1000, (draw) =>
    onHosts(["bookworm", "trixie"], async (hosts) =>
      joined(await Promise.all(hosts.map((host) => calendarMeasurement(host, calendarQuestions(draw))))),
    ),
  );
}
