import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { lastDayProblem, waiverDaysLeft, waiverHolds, waiverOf } from "../../../systemd/lints/waiver.ts";

const waiver = (until: string, policy = "no-description") => ({ policy, reason: "until ticket 12", until });

suite("a waiver", () => {
  const days: [now: string, left: number][] = [
    ["2027-03-30T23:59:59.999Z", 1],
    ["2027-03-31T00:00:00Z", 0],
    ["2027-03-31T23:59:59.999Z", 0],
    ["2027-04-01T00:00:00Z", -1],
    ["2026-03-31T12:00:00Z", 365],
    ["2027-03-31T23:30:00-02:00", -1],
  ];
  for (const [now, left] of days) {
    test(`until 2027-03-31 has ${left} days left at ${now}`, () => {
      assert.equal(waiverDaysLeft(waiver("2027-03-31"), new Date(now)), left);
      assert.equal(waiverHolds(waiver("2027-03-31"), new Date(now)), left >= 0);
    });
  }

  test("is found by its lint or policy while it holds, the longest first", () => {
    const now = new Date("2027-03-31T12:00:00Z");
    const over = waiver("2027-03-30");
    const short = waiver("2027-04-01");
    const long = waiver("2027-05-01");
    assert.equal(waiverOf([over, short, long], "no-description", now), long);
    assert.equal(waiverOf([long, short, over], "no-description", now), long);
    assert.equal(waiverOf([over], "no-description", now), undefined);
    assert.equal(waiverOf([waiver("2027-05-01", "other")], "no-description", now), undefined);
  });

  const refused: [text: string, problem: RegExp][] = [
    ["", /^"" is not a date; write YYYY-MM-DD, such as 2027-03-31$/],
    ["31.3.2027", /is not a date/],
    ["2027-3-31", /is not a date/],
    ["2027-03-31T00:00:00Z", /is not a date/],
    ["2027-02-29", /^"2027-02-29" is no day of the calendar$/],
    ["2027-13-01", /is no day of the calendar/],
    ["0000-00-00", /is no day of the calendar/],
  ];
  for (const [text, problem] of refused) {
    test(`does not end on ${JSON.stringify(text)}`, () => assert.match(lastDayProblem(text) ?? "", problem));
  }
  test("may end on a leap day", () => assert.equal(lastDayProblem("2028-02-29"), undefined));
});
