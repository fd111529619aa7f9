import { test } from "node:test";
import { assertAccepted, assertRefused } from "./value-assertions.ts";

test("Description takes text", () => {
  assertAccepted("Description", ["Orders", "100%%"]);
  assertRefused("Description", {
    "100%X": "%X is no specifier of systemd; write %%X for the two characters %X",
  });
});

test("TCPCongestion takes text; % has no meaning here", () => {
  assertAccepted("TCPCongestion", ["bbr", "%X"]);
});

test("ConditionHost takes text, after an optional | and !", () => {
  assertAccepted("ConditionHost", ["web*", "!x"]);
  assertRefused("ConditionHost", {
    "%X": "%X is no specifier of systemd; write %%X for the two characters %X",
  });
});

test("OnCalendar takes a calendar expression such as *-*-* 03:00:00", () => {
  assertAccepted("OnCalendar", ["*-*-* 03:00:00", "daily", "%i"]);
  assertRefused("OnCalendar", {
    "every day":
      'calendar expression "every day": "day" follows "every", where the expression must end; accepted is "[WEEKDAYS] [YEAR-MONTH-DAY] [HOUR:MINUTE[:SECOND]] [TIMEZONE]" in this order, or one of minutely, hourly, daily, weekly, monthly, quarterly, semiannually, yearly',
  });
});

test("LogFilterPatterns takes a regular expression, with a leading ~ to drop what matches", () => {
  assertAccepted("LogFilterPatterns", ["~^DEBUG", "100%X"]);
});

test("RootImagePolicy takes an image policy such as root=verity+signed", () => {
  assertAccepted("RootImagePolicy", ["root=verity+signed"]);
});

test("RootImageOptions takes mount options, or words of the form partition:options", () => {
  assertAccepted("RootImageOptions", ["ro,dev", "root:ro"]);
  assertRefused("RootImageOptions", {
    '"ro': '"\\"ro" cannot be split into words: a quote is never closed',
  });
});

test("IgnoreOnSnapshot takes anything; it is ignored", () => {
  assertAccepted("IgnoreOnSnapshot", ["anything"]);
});
