import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type TestStack, testStack } from "../hosts/stack.ts";

const hostKey = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}`;
const otherKey = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"B".repeat(43)}`;
const connection = { host: "192.0.2.1", hostKey, privateKey: "hush-hush" };
const services = { api: { exec: ["/bin/true"], service: { RestartSteps: 5, RestartMaxDelaySec: "1min" } } };

let stack: TestStack;

before(async () => {
  stack = await testStack();
  // As an update of a host with systemd 247 would have left it.
  const project = `urn:pulumi:${stack.name}::pulumi-systemd::`;
  const provider = { urn: `${project}pulumi:providers:command::default`, id: "11111111-1111-4111-8111-111111111111" };
  const host = { urn: `${project}systemd:index:Host::web1`, type: "systemd:index:Host" };
  const stdout = JSON.stringify({ systemd: 247 });
  const done = { connection: { ...connection, port: 22 }, stdin: "{}", stdout, stderr: "" };
  const resources = [
    { ...provider, type: "pulumi:providers:command", custom: true, inputs: {}, outputs: {} },
    { ...host, custom: false, outputs: {} },
    {
      urn: `${project}systemd:index:Host$command:remote:Command::web1`,
      type: "command:remote:Command",
      custom: true,
      id: "web1",
      parent: host.urn,
      provider: `${provider.urn}::${provider.id}`,
      inputs: {},
      outputs: done,
    },
  ];
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

test("a stated version counts, a host that never reported one is not known, and neither is another machine", async () => {
  await stack.configure({ hosts: { web1: { connection, systemd: 257 }, web2: { connection } }, services });
  const stated = await stack.preview();
  assert.equal(stated.code, 0, stated.output);
  await stack.configure({ hosts: { web1: { connection: { ...connection, hostKey: otherKey } } }, services });
  const other = await stack.preview();
  assert.equal(other.code, 0, other.output);
});
