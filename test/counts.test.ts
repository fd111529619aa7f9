import assert from "node:assert/strict";
import { test } from "node:test";
import { countsText, totalCounts } from "./counts.ts";

test("the last line of npm test", () => {
  assert.equal(countsText({ passed: 3, failed: 0, skipped: 0 }), "3 passed, 0 failed");
  assert.equal(countsText({ passed: 0, failed: 2, skipped: 1 }), "0 passed, 2 failed, 1 skipped");
});

test("stages add up", () => {
  assert.deepEqual(totalCounts([]), { passed: 0, failed: 0, skipped: 0 });
  assert.deepEqual(
    totalCounts([
      { passed: 1, failed: 2, skipped: 3 },
      { passed: 10, failed: 20, skipped: 30 },
    ]),
    { passed: 11, failed: 22, skipped: 33 },
  );
});
