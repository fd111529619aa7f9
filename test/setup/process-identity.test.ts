import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { isRunning, processIdentity } from "../../setup/process-identity.ts";

test("a process is itself while it runs, and nobody afterwards", async () => {
  const child = spawn("sleep", ["60"]);
  await once(child, "spawn");
  const identity = processIdentity(child.pid!)!;
  assert.deepEqual(processIdentity(child.pid!), identity);
  assert.equal(isRunning(identity), true);
  child.kill("SIGKILL");
  await once(child, "close");
  assert.equal(isRunning(identity), false);
});

test("another process that got the same pid is another process", () => {
  const self = processIdentity(process.pid)!;
  assert.equal(isRunning({ ...self, started: `${self.started}0` }), false);
});

test("a zombie does not run", { skip: process.platform !== "linux" && "reads /proc" }, async () => {
  // The shell becomes `sleep`, which never collects the child that has ended.
  const parent = spawn("bash", ["-c", "true & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
  const [line] = await once(parent.stdout, "data");
  const deadline = Date.now() + 5000;
  while (processIdentity(Number(line)) !== undefined) assert.ok(Date.now() < deadline, "the zombie counts as running");
  parent.kill("SIGKILL");
});
