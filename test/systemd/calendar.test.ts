// data/calendar-cases.json holds what the real tool says, the same on 252.39 and 257.13 (Debian 12 and 13), with one
// difference: after 2024-12-28, 257.13 lets *-*-1/4 elapse on 2025-01-01, too.
//   TZ=ZONE systemd-analyze calendar --iterations=3 --base-time="AFTER UTC" -- EXPRESSION
// `next` is in UTC, `refused` means exit status 1.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  CalendarError,
  calendarProblem,
  calendarWarnings,
  nextElapses,
  normalizedCalendar,
  parsedCalendar,
} from "../../systemd/calendar.ts";
import cases from "./data/calendar-cases.json" with { type: "json" };

const utc = (text: string): Date => new Date(`${text.replace(" ", "T")}Z`);
const shown = (date: Date): string => date.toISOString().slice(0, 19).replace("T", " ");

interface CalendarCase {
  readonly expression: string;
  readonly after: string;
  readonly timeZone?: string;
  readonly refused?: boolean;
  readonly normalized?: string;
  readonly next?: readonly string[];
}

const accepted = (cases as readonly CalendarCase[]).filter(({ refused }) => refused !== true);

describe("a calendar expression that systemd accepts", () => {
  for (const { expression, after, timeZone = "UTC", normalized, next } of accepted)
    it(`${JSON.stringify(expression)} after ${after} in ${timeZone}`, () => {
      const elapses = nextElapses(expression, { after: utc(after), count: 3, timeZone });
      assert.deepEqual({ normalized: normalizedCalendar(expression), next: elapses.map(shown) }, { normalized, next });
    });

  it("has a normal form that is its own normal form", () => {
    for (const { expression } of accepted) {
      // systemd's normal form of the seconds "0/1,3" is "*", so the 3 is not in it any more.
      if (expression === "0:0:0/1,3") continue;
      assert.deepEqual(parsedCalendar(normalizedCalendar(expression)), parsedCalendar(expression), expression);
    }
  });
});

describe("a calendar expression that systemd refuses", () => {
  for (const { expression } of (cases as readonly CalendarCase[]).filter(({ refused }) => refused))
    it(JSON.stringify(expression), () => {
      assert.throws(() => parsedCalendar(expression), CalendarError);
      assert.match(calendarProblem(expression) ?? "", /^calendar expression ".*": ./s);
    });
});

describe("calendarProblem", () => {
  const problems: readonly (readonly [string, string])[] = [
    ["*:*/5", 'minute "*/5": a step needs a start; write "0/5" in place of "*/5"'],
    ["*-*-*/2", 'day "*/2": a step needs a start; write "1/2" in place of "*/2"'],
    ["0 0 * * *", "this is cron's language; systemd has its own: onCalendarOfCron() converts it"],
    ["@daily", "this is cron's language; systemd has its own: onCalendarOfCron() converts it"],
    ["Fri..Mon", 'weekday "Fri..Mon": a range does not wrap around Sunday; write Mon,Fri..Sun'],
    ["Mon,,Tue", 'weekday "Mon,,Tue": a day is missing beside a comma or range'],
    [
      "Monday,Foo",
      'weekday "Monday,Foo": "Foo" is no day; accepted is Mon, Tue, Wed, Thu, Fri, Sat, Sun or the full English name',
    ],
    ["24:00", 'hour "24": 24 is out of range; accepted is 0..23'],
    ["*:*:60", 'second "60": 60 is out of range; accepted is 0..59'],
    ["*-*~30", 'day "30": 30 is out of range; accepted is 1..28 (counted from the end of the month)'],
    ["22/2:00", 'hour "22/2": with a step of 2 no second value fits into 0..23; write "22" alone'],
    ["*:0/0", 'minute "0/0": the step is 0; write 1 or more'],
    ["*:10..5", 'minute "10..5": a range does not wrap around; write two ranges, such as 22..23,0..5'],
    ["*:10-15", 'minute "10-15": a range is written with "..", as in "10..15"'],
    ["9:", 'the minute is missing; write a number or "*"'],
    [
      "9:00 europe/berlin",
      '"europe/berlin" is no time zone; accepted is UTC or a name of the tz database, in its exact case, such as ' +
        '"Europe/Berlin" (no offsets, no short names such as CEST)',
    ],
    [
      "12:00 +02:00",
      '"+02:00" is no time zone; accepted is UTC or a name of the tz database, in its exact case, such as ' +
        '"Europe/Berlin" (no offsets, no short names such as CEST)',
    ],
    ["*-02-30", 'it never elapses: no day and time from 1970 to 2199 matches "*-02-30 00:00:00"'],
    ["Mon 2024-02-28", 'it never elapses: no day and time from 1970 to 2199 matches "Mon 2024-02-28 00:00:00"'],
    [
      "*-*~2 ~1",
      '"~1" is neither a date nor a time; accepted is "[WEEKDAYS] [YEAR-MONTH-DAY] [HOUR:MINUTE[:SECOND]] [TIMEZONE]" in this order, or one of minutely, hourly, daily, weekly, monthly, quarterly, semiannually, yearly',
    ],
  ];
  for (const [expression, reason] of problems)
    it(`says of ${JSON.stringify(expression)} what to write`, () => {
      assert.equal(calendarProblem(expression), `calendar expression ${JSON.stringify(expression)}: ${reason}`);
    });

  it("is silent on an expression that works, also on one in the past", () => {
    assert.deepEqual(
      ["daily", "*-*-* 03:00:00", "Mon..Fri 9:00 Europe/Berlin", "2000-01-01", "*-02-29"].map(calendarProblem),
      [undefined, undefined, undefined, undefined, undefined],
    );
  });

  it("answers for any text", () => {
    const alphabet = [..."0123456789*/.,:-~@ ", "Mon", "UTC", "..", "daily", "Europe/Berlin"];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...alphabet), { maxLength: 12 }), (parts) => {
        const expression = parts.join("");
        const problem = calendarProblem(expression);
        if (problem === undefined) assert.equal(nextElapses(expression, { after: new Date(-1), count: 1 }).length, 1);
      }),
    );
  });
});

describe("calendarWarnings", () => {
  it("names the elapses that a step without an end loses", () => {
    const warning = "after midnight, minute 0 is lost: write 0..56/7 in place of 0/7";
    assert.deepEqual(calendarWarnings("*:0/7"), [`calendar expression "*:0/7": ${warning}`]);
    assert.deepEqual(["*:0..56/7", "*:0/15", "daily", "*-*-1/3", "*:*:*"].flatMap(calendarWarnings), []);
  });

  it("warns exactly of the minute steps that miss an elapse over three days", () => {
    const steps = Array.from({ length: 59 }, (_, index) => index + 1);
    const after = utc("2024-02-27 00:00:00");
    const ofMinutes = (expression: string): readonly Date[] => nextElapses(expression, { after, count: 300 });
    const lossy = steps.filter((step) => {
      const end = utc("2024-03-01 00:00:00");
      const [open, ended] = [`*:0/${step}`, `*:0..59/${step}`].map((expression) =>
        ofMinutes(expression).filter((date) => date <= end),
      );
      return JSON.stringify(open) !== JSON.stringify(ended);
    });
    assert.deepEqual(
      steps.filter((step) => calendarWarnings(`*:0/${step}`).length > 0),
      lossy,
    );
  });
});

describe("nextElapses", () => {
  it("rounds a fraction of a second down to the millisecond and still goes on", () => {
    const elapses = nextElapses("0:0:3.3333/10.05", { after: utc("2024-02-27 00:00:00"), count: 2 });
    assert.deepEqual(
      elapses.map((date) => date.toISOString()),
      ["2024-02-27T00:00:03.333Z", "2024-02-27T00:00:13.383Z"],
    );
  });

  it("goes by the expression's zone before the host's", () => {
    const options = { after: utc("2024-07-01 00:00:00"), count: 1, timeZone: "America/New_York" };
    const hours = ["9:00", "9:00 UTC", "9:00 Europe/Berlin"].map((expression) =>
      shown(nextElapses(expression, options)[0]!),
    );
    assert.deepEqual(hours, ["2024-07-01 13:00:00", "2024-07-01 09:00:00", "2024-07-01 07:00:00"]);
  });

  it("refuses a host zone that does not exist", () => {
    const options = { after: new Date(0), count: 1, timeZone: "Mars/Olympus" };
    assert.throws(() => nextElapses("daily", options), RangeError);
  });
});

describe("parsedCalendar", () => {
  it("gives the fields of an expression", () => {
    assert.deepEqual(parsedCalendar("Mon..Wed *-1,7~7/1 8..18/2:30 Europe/Berlin"), {
      weekdays: [0, 1, 2],
      month: [
        { start: 1, step: 0 },
        { start: 7, step: 0 },
      ],
      day: [{ start: 7, step: 1 }],
      endOfMonth: true,
      hour: [{ start: 8, stop: 18, step: 2 }],
      minute: [{ start: 30, step: 0 }],
      microsecond: [{ start: 0, step: 0 }],
      timeZone: "Europe/Berlin",
    });
  });
});
