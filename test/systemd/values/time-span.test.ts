import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  formattedTimeSpan,
  parsedTimeSpan,
  TimeSpanError,
  timeSpanProblem,
} from "../../../systemd/values/time-span.ts";
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

const spans: Readonly<Record<string, number>> = {
  "90": 90_000_000,
  "1min 30s": 90_000_000,
  "2h30min": 9_000_000_000,
  "1.5": 1_500_000,
  ".5": 500_000,
  "1 .5": 1_500_000,
  "5 5": 10_000_000,
  "1s2": 3_000_000,
  "+5": 5_000_000,
  "3.5000001s": 3_500_000,
  "5M": 13_149_000_000_000,
  "5m": 300_000_000,
  "5\u00b5s": 5,
  "5\u03bcs": 5,
  "1y 2month 3w 4d 5h 6min 7s 8ms 9us": 38_995_567_008_009,
  " infinity ": Number.POSITIVE_INFINITY,
};

test("time spans are the microseconds that systemd-analyze timespan 252 prints", () => {
  assert.deepEqual(Object.fromEntries(Object.keys(spans).map((text) => [text, parsedTimeSpan(text)])), spans);
});

test("a bare number counts the unit that is asked for", () => {
  assert.equal(parsedTimeSpan("10", { bareUnit: "us" }), 10);
  assert.equal(parsedTimeSpan("1500", { bareUnit: "ns" }), 1);
  assert.equal(parsedTimeSpan("10s", { bareUnit: "us" }), 10_000_000);
});

test("what is no time span is a TimeSpanError with the reason", () => {
  for (const text of [
    "",
    " ",
    "x",
    "5.",
    ".",
    "12.34.56",
    "1 infinity",
    "1e3",
    "0x10",
    "1. 5",
    "5ns",
    "1H",
    "584543y",
  ]) {
    assert.throws(() => parsedTimeSpan(text), TimeSpanError, text);
    assert.match(timeSpanProblem(text) ?? "", /is not a time span: /, text);
  }
  assert.equal(
    timeSpanProblem("584543y"),
    '"584543y" is not a time span: it is longer than 584542 years; use infinity; write e.g. "90s" or "1min 30s"',
  );
});

test("time spans print as systemd-analyze timespan 252 prints them", () => {
  const printed: Readonly<Record<string, string>> = {
    "90": "1min 30s",
    "1.5s": "1.500000s",
    "1.5ms": "1.500ms",
    "61.5": "1min 1.500000s",
    "1us": "1us",
    ".5": "500ms",
    "0": "0",
    infinity: "infinity",
    "1y 2month 3w 4d 5h 6min 7s 8ms 9us": "1y 2month 3w 4d 5h 6min 7.008009s",
  };
  const found = Object.keys(printed).map((text) => [text, formattedTimeSpan(parsedTimeSpan(text))]);
  assert.deepEqual(Object.fromEntries(found), printed);
});

test("the printed form of any number of microseconds reads as that number", () => {
  fc.assert(
    fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (microseconds) => {
      assert.equal(parsedTimeSpan(formattedTimeSpan(microseconds)), microseconds);
    }),
  );
});

test("numbers that are no time span cannot be printed", () => {
  for (const bad of [-1, 0.5, Number.NaN, 2 ** 53]) assert.throws(() => formattedTimeSpan(bad), RangeError);
});

test("a directive's own smallest time span holds", () => {
  assertRefused("ManagedOOMMemoryPressureDurationSec", { "500ms": '"500ms" is too short; write 1s or more' });
  assertAccepted("ManagedOOMMemoryPressureDurationSec", ["1s", "20s"]);
});
