// data/cron-cases.json: 30 schedules, what they are for systemd, and when both run next after 2024-02-27 10:17:23 UTC
// (systemd-analyze calendar --iterations=3 on 247, 252 and 257, against an evaluator of cron's rules).
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { calendarWarnings, nextElapses } from "../../systemd/calendar.ts";
import { CronError, onCalendarOfCron } from "../../systemd/cron.ts";
import cases from "./data/cron-cases.json" with { type: "json" };

/** The first instants at which one of the expressions elapses. */
function elapsesOfAny(expressions: readonly string[], after: Date, count: number): readonly Date[] {
  const times = expressions.flatMap((expression) =>
    nextElapses(expression, { after, count }).map((date) => date.getTime()),
  );
  return [...new Set(times)]
    .toSorted((a, b) => a - b)
    .slice(0, count)
    .map((time) => new Date(time));
}

describe("onCalendarOfCron", () => {
  for (const { cron, onCalendar, next } of cases)
    it(cron, () => {
      const converted = onCalendarOfCron(cron).onCalendar;
      // An open step of 7 minutes loses 00:00 in systemd, so this one is given its end.
      assert.deepEqual(converted, cron === "*/7 * * * *" ? ["*-*-* *:00..56/7:00"] : onCalendar);
      const elapses = elapsesOfAny(converted, new Date("2024-02-27T10:17:23Z"), 3);
      assert.deepEqual(
        elapses.map((date) => date.toISOString().slice(0, 19).replace("T", " ")),
        next,
      );
    });

  for (const everyDay of ["0-6", "1-7", "0,1,2,3,4,5,6"])
    it(`0 0 13 * ${everyDay}: cron runs on either day, and every day is one of these`, () => {
      assert.deepEqual(onCalendarOfCron(`0 0 13 * ${everyDay}`).onCalendar, ["*-*-* 00:00:00"]);
    });

  it("elapses in every minute that cron's rules name, and in no other", () => {
    const item = (lowest: number, highest: number) =>
      fc.oneof(
        fc.integer({ min: lowest, max: highest }).map(String),
        fc
          .tuple(fc.integer({ min: lowest, max: highest }), fc.integer({ min: lowest, max: highest }), fc.nat(9))
          .map(([a, b, step]) => `${Math.min(a, b)}-${Math.max(a, b)}${step > 1 ? `/${step}` : ""}`),
        fc.integer({ min: 1, max: highest }).map((step) => `*/${step}`),
      );
    const field = (lowest: number, highest: number) =>
      fc.oneof(
        { weight: 2, arbitrary: fc.constant("*") },
        {
          weight: 3,
          arbitrary: fc.array(item(lowest, highest), { minLength: 1, maxLength: 3 }).map((items) => items.join(",")),
        },
      );
    const schedule = fc.tuple(field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 7));
    const start = fc.constantFrom("2024-02-28T20:00:00Z", "2024-12-30T22:00:00Z", "2025-02-27T23:00:00Z");
    fc.assert(
      fc.property(schedule, start, (fields, from) => {
        const after = new Date(from);
        const until = after.getTime() + 3 * 86_400_000;
        const { onCalendar } = onCalendarOfCron(fields.join(" "));
        const elapses = elapsesOfAny(onCalendar, after, 5000).filter((date) => date.getTime() <= until);
        assert.deepEqual(elapses, minutesOfCron(fields, after, until), onCalendar.join(" | "));
        assert.deepEqual(onCalendar.flatMap(calendarWarnings), []);
      }),
      { numRuns: 60 },
    );
  });

  it("keeps the zone of CRON_TZ= on every line", () => {
    assert.deepEqual(onCalendarOfCron("0 0 1,15 * 5", "Europe/Berlin"), {
      onCalendar: ["*-*-01,15 00:00:00 Europe/Berlin", "Fri *-*-* 00:00:00 Europe/Berlin"],
      notes: ["cron runs on the days of the month and on the weekdays: one line for each"],
    });
  });

  it("says what it cannot say in systemd's language", () => {
    assert.deepEqual(onCalendarOfCron("@reboot"), {
      onCalendar: [],
      notes: ["@reboot is no calendar: use OnBootSec=0 in the timer, or WantedBy=multi-user.target in the service"],
    });
    assert.deepEqual(onCalendarOfCron("0 0 30 2 *").notes, [
      'calendar expression "*-02-30 00:00:00": it never elapses: no day and time from 1970 to 2199 matches "*-02-30 00:00:00"',
    ]);
  });

  const refused: readonly (readonly [string, string])[] = [
    [
      "* * * *",
      "it has 4 fields; accepted are five: minute, hour, day of month, month, day of week (no command, no seconds)",
    ],
    ["@noon", "no such macro; accepted is @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, @reboot"],
    ["60 * * * *", 'minute "60": "60" is not one of 0..59'],
    [
      "0 0 * foo *",
      'month "foo": "foo" is not one of 1..12 or jan, feb, mar, apr, may, jun, jul, aug, sep, oct, nov, dec',
    ],
    ["0 0 L * *", 'day of month "L": "L" is not one of 1..31'],
    ["*/0 * * * *", 'minute "*/0": the step is 0; write 1 or more'],
    ["9-5 * * * *", 'minute "9-5": the range ends before it begins'],
    ["1,,2 * * * *", 'minute "": accepted is "*", N, N-M, each also with "/STEP", joined by commas'],
  ];
  for (const [cron, reason] of refused)
    it(`refuses ${cron}`, () => {
      assert.throws(() => onCalendarOfCron(cron), new CronError(cron, reason));
    });
});

/** The minutes in which Vixie cron runs a schedule of numbers, from its rules alone. */
function minutesOfCron(fields: readonly [string, string, string, string, string], after: Date, until: number): Date[] {
  const lowests = [0, 0, 1, 1, 0];
  const highests = [59, 23, 31, 12, 7];
  const sets = fields.map((field, index) => {
    const values = new Set<number>();
    for (const item of field.split(",")) {
      const [range = "", step = "1"] = item.split("/");
      const [first, last = first] = range === "*" ? [lowests[index], highests[index]] : range.split("-").map(Number);
      for (let value = first!; value <= last!; value += Number(step)) values.add(value);
    }
    return values;
  });
  const [minutes, hours, days, months, weekdays] = sets;
  const found: Date[] = [];
  for (let time = after.getTime() + 60_000; time <= until; time += 60_000) {
    const date = new Date(time);
    const onDay = days!.has(date.getUTCDate());
    const onWeekday = weekdays!.has(date.getUTCDay()) || (date.getUTCDay() === 0 && weekdays!.has(7));
    const either = !fields[2].startsWith("*") && !fields[4].startsWith("*");
    if (
      minutes!.has(date.getUTCMinutes()) &&
      hours!.has(date.getUTCHours()) &&
      months!.has(date.getUTCMonth() + 1) &&
      (either ? onDay || onWeekday : onDay && onWeekday)
    )
      found.push(date);
  }
  return found;
}
