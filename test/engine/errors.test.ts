import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pulumiRun } from "../../setup/pulumi-cli.ts";
import { type TestStack, testStack } from "../hosts/stack.ts";

/** What the real engine prints of a mistake in a TypeScript program that uses the components. */
const program = join(import.meta.dirname, "fixtures", "errors");
let stack: TestStack;

before(async () => {
  stack = await testStack("dev", program);
});

after(() => stack?.remove());

const cases: readonly [string, string, RegExp][] = [
  [
    "secret in a unit",
    "systemd:index:Service (leaky):",
    /leaky\.service: a directive holds a secret, and every user of a host can read its units; pass it by secretEnvironment$/m,
  ],
  ["bad time span in an Output", "systemd:index:Service (late):", /late: watchdogSec: "90x" is not a time span/],
  ["bad value", "systemd:index:Service (wrong):", /wrong: service\.ProtectSystem: .*did you mean "strict"\?/],
  ["missing source", "systemd:index:PythonService (gone):", /gone: source: "no\/such\/folder" does not exist/],
  ["lint in an Output", "pulumi:pulumi:Stack (errors-dev):", /\[Service\] ExecStart: .*"\.\/run" is a relative path/],
  [
    "lint across units",
    "pulumi:pulumi:Stack (errors-dev):",
    /web1: job\.service: \[Service\] RemainAfterExit=yes: after its first run nightly\.timer cannot start it again/,
  ],
  [
    "bad secret in a connection",
    "systemd:index:Host (web1):",
    /web1: connection\.port: Invalid input: expected number, received string$/m,
  ],
  ["bad secret name", "systemd:index:Service (secretive):", /not a variable name|variable/],
];

for (const [name, resource, message] of cases) {
  test(`${name}: one error under the resource, no stack trace, nothing secret`, async () => {
    const { code, output } = await preview(name);
    assert.notEqual(code, 0, output);
    assert.ok(output.includes(resource), output);
    assert.match(output, message);
    assert.doesNotMatch(output, /^\s+at .*\.(ts|js):\d+/m);
    assert.ok(!output.includes("hush-hush"), output);
  });
}

test("a preview with values that are not known yet warns of each unit once, not once for each host", async () => {
  const { code, output } = await preview("warnings and values that are not known yet");
  assert.equal(code, 0, output);
  const diagnostics = output.slice(output.indexOf("Diagnostics:"));
  const times = (text: string) => diagnostics.split(text).length - 1;
  assert.equal(times("(lint user-nobody)"), 1, output);
  assert.equal(times("(lint activated-unit-missing)"), 1, output);
  assert.equal(times("(lint "), 2, output);
});

for (const options of [[], ["--continue-on-error"]]) {
  const up = ["up", "--yes", "--skip-preview", ...options];

  test(`${up.join(" ")}: a host that cannot be reached is one error`, async () => {
    const { code, output } = await run(up, "a host that cannot be reached", await closedPort());
    assert.notEqual(code, 0, output);
    const diagnostics = output.slice(output.indexOf("Diagnostics:"));
    assert.match(
      diagnostics,
      /command:remote:CopyToRemote \(web1:program\):\n\s+error: after 1 failed attempts: dial tcp .*refused/,
    );
    const told = diagnostics.split("error: ").length - 1;
    assert.equal(told - (diagnostics.includes("error: update failed") ? 1 : 0), 1, output);
    assert.doesNotMatch(output, /unhandled|^\s+at .*:\d+/m);
    assert.ok(!output.includes("hush-hush"), output);
  });

  test(`${up.join(" ")}: what waits for a host that cannot be reached does not go on`, async () => {
    const { code, output } = await run(up, "what waits for a host that cannot be reached", await closedPort());
    assert.notEqual(code, 0, output);
    assert.match(output, /command:remote:CopyToRemote web1:program .*creating failed/);
    assert.doesNotMatch(output, /command:local:Command announce/);
  });
}

/** A port of this machine on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function preview(name: string) {
  return run(["preview"], name);
}

function run(command: string[], name: string, port = 0) {
  const config = join(stack.folder, "Pulumi.dev.yaml");
  return pulumiRun(["--cwd", program, ...command, "--stack", "dev", "--config-file", config], {
    env: { ...stack.env, PROGRAM: name, PORT: String(port) },
  });
}
