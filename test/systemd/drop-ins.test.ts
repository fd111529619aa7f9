import assert from "node:assert/strict";
import { test } from "node:test";
import { dropInFolders, dropInsOf } from "../../systemd/drop-ins.ts";

test("the folders of a unit, the nearest first (systemd.unit(5))", () => {
  assert.deepEqual(dropInFolders("api.service"), ["api.service.d", "service.d"]);
  assert.deepEqual(dropInFolders("a-b-c.timer"), ["a-b-c.timer.d", "a-b-.timer.d", "a-.timer.d", "timer.d"]);
  assert.deepEqual(dropInFolders("api@.service"), ["api@.service.d", "service.d"]);
  assert.deepEqual(dropInFolders("a-b@x-y.service"), [
    "a-b@x-y.service.d",
    "a-b@.service.d",
    "a-@x-y.service.d",
    "a-@.service.d",
    "service.d",
  ]);
});

test("drop-ins come in the order of their names, and of one name the nearest counts", () => {
  const dropIns = [
    { folder: "service.d", name: "20-all.conf" },
    { folder: "service.d", name: "10-own.conf" },
    { folder: "api.service.d", name: "10-own.conf" },
    { folder: "api.service.d", name: "30-last.conf" },
    { folder: "api.service.d", name: "40-not.txt" },
    { folder: "web.service.d", name: "00-other.conf" },
  ];
  assert.deepEqual(
    dropInsOf("api.service", dropIns).map(({ folder, name }) => `${folder}/${name}`),
    ["api.service.d/10-own.conf", "service.d/20-all.conf", "api.service.d/30-last.conf"],
  );
});
