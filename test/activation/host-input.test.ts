import assert from "node:assert/strict";
import { test } from "node:test";
import { asksTheSame, hostInput, openedHostInput, sentBundle, sentInput } from "../../activation/host-command.ts";

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
const other = { ...bundle, keepGenerations: 6 };

for (const input of [hostInput, sentInput]) {
  for (const sudoPassword of [undefined, "p\u00e4ss word\t1", ""]) {
    test(`what ${input.name} gives can be opened again, with ${JSON.stringify(sudoPassword)} for sudo`, () => {
      const text = input(bundle, sudoPassword);
      assert.deepEqual(openedHostInput(text), { bundle, sudoPassword });
      assert.deepEqual(sentBundle(text), bundle);
    });
  }
}

test("only the bundle and the program count, not how a host is reached nor how they travel", () => {
  const one = sentInput(bundle, "one");
  assert.ok(asksTheSame(one, sentInput(bundle, "two")));
  assert.ok(asksTheSame(one, sentInput(bundle)));
  assert.ok(asksTheSame(one, hostInput(bundle)));
  assert.ok(!asksTheSame(one, sentInput(other, "one")));
  assert.ok(!asksTheSame(one, one.replace(/^[0-9a-f]{8}/, "00000000")));
});

test("a Host sends a small text, however large the program is", () => {
  const text = sentInput(bundle);
  assert.match(text, /^[0-9a-f]{64} \.pulumi-systemd-[0-9a-f]{16}-[0-9a-f]{64}\.program\n[A-Za-z0-9+/]+=*$/);
  assert.ok(text.length < 1_000, `${text.length} characters`);
});

for (const text of ["", "{}", "12", "12\nabc", "0f .a.program\n{}", "0f .a.program\nAAAA"]) {
  test(`${JSON.stringify(text)} is nothing that a Host sends`, () => {
    assert.throws(() => openedHostInput(text), { message: /^(this is not what a Host sends|Unexpected|Bad control)/ });
    assert.equal(sentBundle(text), undefined);
  });
}
