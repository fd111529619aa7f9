import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type TestStack, testStack } from "../hosts/stack.ts";

const hostKey = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}`;
const connection = { host: "192.0.2.1", hostKey, privateKey: "hush-hush" };
const services = { api: { exec: ["/bin/true"], service: { RestartSteps: 5, RestartMaxDelaySec: "1min" } } };

let stack: TestStack;

before(async () => {
  stack = await testStack();
  // As an update of a host with systemd 247 would have left it.
  const urn = `urn:pulumi:${stack.name}::pulumi-systemd::pulumi:pulumi:Stack::pulumi-systemd-${stack.name}`;
  const outputs = { hosts: { web1: { generation: 1, systemd: 247, units: {}, did: [] } } };
  const resources = [{ urn, type: "pulumi:pulumi:Stack", custom: false, outputs }];
  const state = join(stack.folder, "last.json");
  writeFileSync(
    state,
    JSON.stringify({ version: 3, deployment: { manifest: { time: "2026-01-01T00:00:00Z" }, resources } }),
  );
  const imported = await stack.pulumi("stack", "import", "--file", state);
  assert.equal(imported.code, 0, imported.output);
});

// With a filter that leaves out all tests, `before` does not run.
after(() => (stack as TestStack | undefined)?.remove());

test("what the systemd of a host was too old for at its last update is refused at preview, without contact", async () => {
  await stack.configure({ hosts: { web1: { connection } }, services });
  const { code, output } = await stack.preview();
  assert.notEqual(code, 0, output);
  assert.match(
    output,
    /web1: .*api\.service: \[Service\] RestartSteps: it needs systemd 254, web1 has 247; .* or state a newer `systemd` where web1 has been upgraded/,
  );
});

test("a stated version counts, and a host that never reported one is not known", async () => {
  await stack.configure({ hosts: { web1: { connection, systemd: 257 }, web2: { connection } }, services });
  const { code, output } = await stack.preview();
  assert.equal(code, 0, output);
});
