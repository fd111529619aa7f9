import assert from "node:assert/strict";
import { test } from "node:test";
import { exposureChange } from "../../../cli/review/exposure-change.ts";

const service = (lines: string) => `[Service]\nExecStart=/usr/bin/api\nUser=api\n${lines}`;

test("the score before and after, with the tests that moved, those that moved most first", () => {
  const change = exposureChange(
    "api.service",
    service("ProtectHome=yes\nPrivateTmp=yes\n"),
    service("ProtectHome=no\nPrivateTmp=yes\nLockPersonality=yes\n"),
  );
  assert.deepEqual(change?.moved, [
    { id: "ProtectHome=", before: 0, after: 0.2 },
    { id: "LockPersonality=", before: 0.1, after: 0 },
  ]);
  assert.deepEqual([change?.before, change?.after], [8.8, 9]);
});

test("a service that is new or goes has one score; a socket has none", () => {
  assert.deepEqual(exposureChange("api.service", undefined, service("")), { before: null, after: 9.2, moved: [] });
  assert.deepEqual(exposureChange("api.service", service(""), undefined), { before: 9.2, after: null, moved: [] });
  assert.equal(exposureChange("api.socket", undefined, "[Socket]\nListenStream=80\n"), null);
});
