import assert from "node:assert/strict";
import { test } from "node:test";
import { bundleFileSchema, bundleSchema } from "../../activation/bundle.ts";

const file = { path: "/etc/orders/api.env", mode: "0600", content: "", encoding: "utf-8", secret: true };

for (const path of [
  "",
  "/",
  "etc/x",
  "/../etc/x",
  "/etc/../x",
  "/etc/./x",
  "//etc/x",
  "/etc//x",
  "/etc/x/",
  "/etc/a\nb",
  "/etc/a\0b",
]) {
  test(`${JSON.stringify(path)} is no path of a bundle`, () => {
    assert.equal(bundleFileSchema.safeParse({ ...file, path }).success, false);
  });
}

for (const path of ["/etc/x", "/opt/a b/c", "/etc/systemd/system/foo@bar.service", "/x/..y"]) {
  test(`${JSON.stringify(path)} is a path of a bundle`, () => {
    assert.deepEqual(bundleFileSchema.parse({ ...file, path }), { ...file, path });
  });
}

test("an unknown key is refused", () => {
  const empty = {
    format: 1,
    scope: "a/b/c",
    users: [],
    files: [],
    releases: [],
    hooks: [],
    units: [],
    adopt: [],
    keepGenerations: 5,
    bounds: { transactionSec: 1, waitSec: 1, confirmSec: 0 },
  };
  assert.equal(bundleSchema.safeParse(empty).success, true);
  assert.equal(bundleSchema.safeParse({ ...empty, extra: 1 }).success, false);
  assert.equal(bundleSchema.safeParse({ ...empty, scope: "a/b" }).success, false);
});
