import { test } from "node:test";
import { assertAccepted, assertRefused } from "./value-assertions.ts";

test("ManagedOOMMemoryPressureLimit takes a percentage from 0% to 100%", () => {
  assertAccepted("ManagedOOMMemoryPressureLimit", ["60%", "0%", "33.33%"]);
  assertRefused("ManagedOOMMemoryPressureLimit", {
    "60": '"60" is not a percentage; write e.g. "60%", with at most two digits after the point',
    "101%": '"101%" is more than 100%',
  });
});

test("CPUQuota takes a percentage such as 50% or 200%", () => {
  assertAccepted("CPUQuota", ["50%", "150%", "0.5%"]);
  assertRefused("CPUQuota", {
    "50": '"50" is not a percentage of one CPU above 0%; write e.g. "50%" or "200%"; did you mean "50%"?',
    "0%": '"0%" is not a percentage of one CPU above 0%; write e.g. "50%" or "200%"',
    half: '"half" is not a percentage of one CPU above 0%; write e.g. "50%" or "200%"',
  });
});
