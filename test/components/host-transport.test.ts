import assert from "node:assert/strict";
import { test } from "node:test";
import { hostCommand, sentInput } from "../../activation/host-command.ts";
import { hostBundle } from "../../components/host-bundle.ts";
import {
  type HostConnectionPlain,
  hostConnectionSchema,
  providerConnection,
} from "../../components/host-connection.ts";
import { applyLine, connectionNow, reportedSystemd } from "../../components/host-transport.ts";

const key = (letter: string) => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${letter.repeat(43)}`;
const [old, renewed] = [key("A"), key("B")];

const bundle = (transactionSec = 900) =>
  hostBundle("shop/dev/web1", [], { transactionSec, waitSec: 300, confirmSec: 0 });

const given = (changed: object = {}): HostConnectionPlain =>
  hostConnectionSchema.parse({
    host: "192.0.2.1",
    user: "deploy",
    privateKey: "one",
    hostKey: old,
    proxy: { host: "192.0.2.9", privateKey: "one", hostKey: old },
    ...changed,
  });
const stdin = sentInput(bundle(), "one");
const line = hostCommand("apply");
const last = { connection: providerConnection(given()), stdin, create: line, stdout: "a receipt" };

test("nothing has changed: the line stays as it was, also with a reason of then, or none", () => {
  for (const create of [line, `${line}\n# repairs a file`, undefined]) {
    assert.equal(applyLine(given(), stdin, { ...last, create }, undefined), create);
    assert.deepEqual(connectionNow(given(), { ...last, create }), last.connection);
  }
});

const idle: readonly [string, object, string?][] = [
  ["another private key", { privateKey: "two" }],
  ["a password in place of a key", { privateKey: undefined, password: "p" }],
  ["another address and port", { host: "web1.example.org", port: 2222 }],
  ["another login user", { user: "ops" }],
  ["another bastion", { proxy: { host: "192.0.2.10", hostKey: renewed } }],
  ["no bastion", { proxy: undefined }],
  ["the machine's next host key, beside the old one", { hostKey: `${renewed}\n${old}` }],
  ["the same key from known_hosts", { hostKey: `192.0.2.1 ${old} a comment` }],
  ["other bounds of a dial", { dialErrorLimit: 3, perDialTimeout: 5 }],
  ["another password for sudo", {}, "two"],
];

for (const [what, changed, sudo = "one"] of idle) {
  test(`${what}: the same machine with nothing to do is not asked; with something to do, it is`, () => {
    const asked = sentInput(bundle(), sudo);
    for (const create of [line, `${line}\n# repairs a file`, undefined]) {
      const before = { ...last, create };
      const now = applyLine(given(changed), asked, before, undefined);
      const isSameForProvider = what === "the machine's next host key, beside the old one" || /known_hosts/.test(what);
      assert.equal(now, isSameForProvider ? create : undefined);
      assert.equal(applyLine(given(changed), sentInput(bundle(901), sudo), before, undefined), line);
      assert.equal(applyLine(given(changed), asked, before, "repairs x"), `${line}\n# repairs x`);
      assert.equal(connectionNow(given(changed), before).hostKey, old);
    }
  });
}

test("another host key is another machine, and so is another address where no key is pinned", () => {
  assert.equal(applyLine(given({ hostKey: renewed }), stdin, last, undefined), line);
  const unpinned = (changed: object = {}) => given({ hostKey: undefined, proxy: undefined, ...changed });
  const before = { ...last, connection: providerConnection(unpinned()) };
  assert.equal(applyLine(unpinned({ privateKey: "two" }), stdin, before, undefined), undefined);
  assert.equal(applyLine(unpinned({ port: 23 }), stdin, before, undefined), line);
});

test("the first time, after another version of the line, where nothing was told, and where a part is not known, it runs", () => {
  const changed = given({ privateKey: "two" });
  const older = [
    { ...last, create: "something older" },
    { ...last, create: undefined, stdin: "something older" },
  ];
  for (const previous of [undefined, {}, ...older, { ...last, stdout: "" }]) {
    assert.equal(applyLine(changed, stdin, previous, undefined), line);
  }
  assert.equal(applyLine(undefined, stdin, last, undefined), line);
  assert.equal(applyLine(changed, undefined, last, undefined), line);
});

test("the last version counts for the same machine alone, and only where it was told", () => {
  const told = { ...last, stdout: JSON.stringify({ systemd: 252, format: 7 }) };
  assert.equal(reportedSystemd(given({ host: "web1.example.org", privateKey: "two" }), told), 252);
  assert.equal(reportedSystemd(given({ hostKey: renewed }), told), undefined);
  for (const previous of [undefined, {}, last, { ...last, stdout: "{}" }, { ...last, stdout: '{"systemd":"252"}' }]) {
    assert.equal(reportedSystemd(given(), previous), undefined);
  }
});
