import assert from "node:assert/strict";
import { test } from "node:test";
import { hostChanges } from "../../../cli/review/host-change.ts";
import { testBundle } from "../../activation/test-bundle.ts";

test("the same text is another file where it is base64 now", () => {
  const bundle = (encoding: string) =>
    testBundle([], [{ path: "/etc/x/key", mode: "0600", content: "Zm9v", encoding, secret: true }]);
  const [change] = hostChanges([{ host: "web1", before: bundle("utf-8"), after: bundle("base64") }]);
  assert.deepEqual(
    [change?.kind, change?.files],
    ["changed", [{ path: "/etc/x/key", change: "changed", secret: true, diff: "" }]],
  );
});
