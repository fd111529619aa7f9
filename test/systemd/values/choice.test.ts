import { test } from "node:test";
import { assertAccepted, assertRefused } from "./value-assertions.ts";

test("ProtectSystem takes one of a few words", () => {
  assertAccepted("ProtectSystem", ["strict", "full", "yes", "true", "0"]);
  assertRefused("ProtectSystem", {
    stric: '"stric" is not one of no, yes, full, strict; did you mean "strict"?',
    Full: '"Full" is not one of no, yes, full, strict; did you mean "full"?',
    ro: '"ro" is not one of no, yes, full, strict',
  });
});

test("some enums take numbers, and some all words of a boolean", () => {
  assertAccepted("IOSchedulingClass", ["idle", "2"]);
  assertAccepted("PrivateTmp", ["yes", "on", "0", "disconnected"]);
  assertRefused("Restart", {
    yes: '"yes" is not one of no, on-success, on-failure, on-abnormal, on-watchdog, on-abort, always',
    onfailure:
      '"onfailure" is not one of no, on-success, on-failure, on-abnormal, on-watchdog, on-abort, always; did you mean "on-failure"?',
  });
});
