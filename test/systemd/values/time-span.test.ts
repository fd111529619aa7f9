import { test } from "node:test";
import { assertAccepted, assertRefused } from "./value-assertions.ts";

test("WatchdogSec takes a time span such as 90s or 1min 30s", () => {
  assertAccepted("WatchdogSec", ["90s", "1min 30s", "1.5h", "infinity", "90", "2h30min"]);
  assertRefused("WatchdogSec", {
    "90x": '"90x" is not a time span: "x" is no unit; write e.g. "90s" or "1min 30s"',
    "10 mins": '"10 mins" is not a time span: "mins" is no unit; write e.g. "90s" or "1min 30s"; did you mean "min"?',
    "-5s": '"-5s" is not a time span: it is negative; write e.g. "90s" or "1min 30s"',
    "1,5s": '"1,5s" is not a time span: "," is no unit; write e.g. "90s" or "1min 30s"',
    "5.": '"5." is not a time span: a unit or a blank must stand before "."; write e.g. "90s" or "1min 30s"',
    "1e3": '"1e3" is not a time span: "e" is no unit; write e.g. "90s" or "1min 30s"',
  });
});

test("TimerSlackNSec takes a time span whose bare number is nanoseconds, such as 50us", () => {
  assertAccepted("TimerSlackNSec", ["50us", "10", "5ns"]);
  assertRefused("TimerSlackNSec", {
    "5x": '"5x" is not a time span: "x" is no unit; write e.g. "90s" or "1min 30s"',
  });
});
