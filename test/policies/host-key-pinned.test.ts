import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { hostKeyPinned } from "../../policies/host-key-pinned.ts";
import { type FakeResource, hostResources, violations } from "./resource-args.ts";

function happyPath(): FakeResource {
  return {
    type: "systemd:index:Host",
    name: "web1",
    props: { address: "web1.example.org", user: "deploy", hostKeyPinned: true, units: ["api.service"] },
    config: {},
    parents: [],
  };
}

suite("host-key-pinned", () => {
  test("passes a pinned host", () => assert.deepEqual(violations(hostKeyPinned, happyPath()), []));

  test("refuses a host whose key is not pinned", () => {
    const host = happyPath();
    host.props.hostKeyPinned = false;
    assert.deepEqual(violations(hostKeyPinned, host), [
      "web1: the host's key is not pinned, wanted connection.hostKey, and the jump host's where there is one: whoever poses as this host gets its secrets",
    ]);
  });

  test("refuses a host that does not say", () => {
    const host = happyPath();
    delete host.props.hostKeyPinned;
    assert.equal(violations(hostKeyPinned, host).length, 1);
  });

  test("shows the reviewer the reason that was given", () => {
    const host = happyPath();
    host.props.hostKeyPinned = false;
    host.props.insecureSkipHostKey = "rebuilt every night";
    assert.deepEqual(violations(hostKeyPinned, host), [
      "web1: the host's key is not pinned (insecureSkipHostKey: \"rebuilt every night\"), wanted connection.hostKey, and the jump host's where there is one: whoever poses as this host gets its secrets",
    ]);
  });

  test("lets an excepted host pass", (t) => {
    t.mock.method(console, "warn", () => undefined);
    const host = happyPath();
    host.props.hostKeyPinned = false;
    host.config = { except: [{ name: "web?", reason: "rebuilt every night in the lab" }] };
    assert.deepEqual(violations(hostKeyPinned, host), []);
  });

  const connections: [what: string, connection: unknown, findings: number][] = [
    ["a pinned one", { host: "a", hostKey: "ssh-ed25519 AAAA" }, 0],
    ["one that is not known yet", "", 0],
    ["none at all", undefined, 0],
    ["one that a transform took the key from", { host: "a" }, 1],
    ["one with a bastion that is not pinned", { host: "a", hostKey: "ssh-ed25519 AAAA", proxy: { host: "b" } }, 1],
  ];
  for (const [what, connection, findings] of connections) {
    test(`reads the connection that a host's command has: ${what}`, () => {
      const [host, command] = hostResources("web1", {});
      const resources = [host, { ...command, props: { ...command.props, connection } }];
      assert.equal(violations(hostKeyPinned, ...resources).length, findings);
    });
  }

  test("reads no other resource", () => {
    const open = { connection: { host: "a" } };
    assert.deepEqual(violations(hostKeyPinned, { ...happyPath(), type: "command:remote:Command", props: open }), []);
    const [host, command] = hostResources("web1", {});
    assert.deepEqual(violations(hostKeyPinned, host, { ...command, type: "other:index:Thing", props: open }), []);
    const component = { ...host, type: "a:b:C" };
    assert.deepEqual(violations(hostKeyPinned, component, { ...command, parents: ["a:b:C"], props: open }), []);
  });

  test("tells of a host once, where it says that its key is not checked", () => {
    const [host, command] = hostResources("web1", {}, { hostKeyPinned: false });
    const open = { ...command, props: { ...command.props, connection: { host: "a" } } };
    assert.equal(violations(hostKeyPinned, host, open).length, 1);
  });
});
