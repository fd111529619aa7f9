import { test } from "node:test";
import { assertAccepted, assertRefused } from "./value-assertions.ts";

test("CPUAffinity takes numbers and ranges such as 0-3 or 0,2", () => {
  assertAccepted("CPUAffinity", ["0-3", "0,2 5", "numa"]);
  assertRefused("CPUAffinity", {
    "8192": '"8192" is out of range; write numbers from 0 to 8191, ranges such as 0-3, numa',
    "3-0": '"3-0" runs backwards; write the smaller number first',
    "0-3:2": '"0-3:2" is no number or range; write numbers from 0 to 8191, ranges such as 0-3, numa',
    all: '"all" is no number or range; write numbers from 0 to 8191, ranges such as 0-3, numa',
  });
});
