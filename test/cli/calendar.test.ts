import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type CalendarOptions, calendar } from "../../cli/calendar.ts";
import { UsageError } from "../../cli/unit-source.ts";
import { CalendarError } from "../../systemd/calendar.ts";
import { CronError } from "../../systemd/cron.ts";
import { printedJson, recordingTerminal } from "./recording-terminal.ts";

const base = "2024-02-27T10:17:23Z";

function ran(expression: string, options: Partial<CalendarOptions> = {}) {
  const terminal = recordingTerminal();
  const status = calendar(expression, { base, iterations: 2, timezone: "UTC", ...options }, terminal);
  return { status, terminal };
}

describe("calendar", () => {
  it("prints the normal form and the next elapses", () => {
    const { status, terminal } = ran("Mon..Fri 9:00");
    assert.equal(status, 0);
    assert.deepEqual(terminal.printed, [
      "OnCalendar=Mon..Fri *-*-* 09:00:00",
      "  2024-02-28T09:00:00.000Z",
      "  2024-02-29T09:00:00.000Z",
    ]);
    assert.deepEqual(terminal.complaints, []);
  });

  it("prints {expression, normalized, next} with --json", () => {
    const { status, terminal } = ran("daily", { json: true, iterations: 1 });
    assert.equal(status, 0);
    assert.deepEqual(printedJson(terminal), {
      expression: "daily",
      normalized: "*-*-* 00:00:00",
      next: ["2024-02-28T00:00:00.000Z"],
    });
  });

  it("prints {cron, onCalendar, next} with --cron --json, the elapses of all lines in one order", () => {
    const { status, terminal } = ran("0 0 1,15 * 5", { cron: true, json: true, iterations: 3 });
    assert.equal(status, 0);
    assert.deepEqual(printedJson(terminal), {
      cron: "0 0 1,15 * 5",
      onCalendar: ["*-*-01,15 00:00:00", "Fri *-*-* 00:00:00"],
      next: ["2024-03-01T00:00:00.000Z", "2024-03-08T00:00:00.000Z", "2024-03-15T00:00:00.000Z"],
    });
  });

  it("has an empty list of elapses for one that never elapses, and says so to a person", () => {
    assert.deepEqual(printedJson(ran("2000-01-01", { json: true }).terminal), {
      expression: "2000-01-01",
      normalized: "2000-01-01 00:00:00",
      next: [],
    });
    assert.deepEqual(ran("2000-01-01").terminal.printed, ["OnCalendar=2000-01-01 00:00:00", "  never elapses"]);
  });

  it("tells a person about elapses that systemd would lose", () => {
    assert.deepEqual(ran("*:0/7", { iterations: 1 }).terminal.printed, [
      "OnCalendar=*-*-* *:00/7:00",
      "  2024-02-27T10:21:00.000Z",
      'note: calendar expression "*:0/7": after midnight, minute 0 is lost: write 0..56/7 in place of 0/7',
    ]);
  });

  it("takes the host's zone for an expression that names none", () => {
    const next = (expression: string) =>
      printedJson(ran(expression, { json: true, iterations: 1, timezone: "Europe/Berlin" }).terminal);
    assert.deepEqual(next("3:00"), {
      expression: "3:00",
      normalized: "*-*-* 03:00:00",
      next: ["2024-02-28T02:00:00.000Z"],
    });
    assert.deepEqual(next("3:00 UTC"), {
      expression: "3:00 UTC",
      normalized: "*-*-* 03:00:00 UTC",
      next: ["2024-02-28T03:00:00.000Z"],
    });
  });

  it("reads --base as UTC unless it says otherwise", () => {
    const bases = [
      "2024-02-27",
      "2024-02-27 00:00",
      "2024-02-27T00:00:00",
      "2024-02-27T00:00:00Z",
      "2024-02-27T01:00:00+01:00",
    ];
    for (const given of bases) {
      const { terminal } = ran("hourly", { base: given, iterations: 1 });
      assert.equal(terminal.printed[1], "  2024-02-27T01:00:00.000Z", given);
    }
  });

  it("refuses a --base that is no time, and names it", () => {
    assert.throws(
      () => ran("daily", { base: "soon" }),
      new UsageError('--base "soon" is not a time; write e.g. 2026-03-29T00:30:00Z'),
    );
  });

  it("leaves the reason of a bad expression or schedule to the caller", () => {
    assert.throws(() => ran("24:00"), CalendarError);
    assert.throws(() => ran("60 * * * *", { cron: true }), CronError);
  });
});
