import assert from "node:assert/strict";
import { test } from "node:test";
import { hostInput, openedHostInput } from "../../activation/host-command.ts";

const bundle = {
  format: 1 as const,
  scope: "shop/dev/web1",
  users: [],
  files: [{ path: "/etc/a", mode: "0600", content: "h\u00e9\n", encoding: "utf-8" as const, secret: true }],
  releases: [],
  hooks: [],
  units: [],
  adopt: [],
  keepGenerations: 5,
  bounds: { transactionSec: 900, waitSec: 300, confirmSec: 0 },
};

for (const sudoPassword of [undefined, "p\u00e4ss word\t1", ""]) {
  test(`what a Host sends can be opened again, with ${JSON.stringify(sudoPassword)} for sudo`, () => {
    const text = hostInput(bundle, sudoPassword);
    assert.deepEqual(openedHostInput(text), { bundle, sudoPassword });
  });
}

for (const text of ["", "{}", "12", "12\nabc"]) {
  test(`${JSON.stringify(text)} is nothing that a Host sends`, () => assert.throws(() => openedHostInput(text)));
}
