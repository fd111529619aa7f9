import assert from "node:assert/strict";
import { test } from "node:test";
import { commandOutput, commandResult, lastLines } from "../../setup/command.ts";

test("a result holds both streams, the code or the signal", async () => {
  assert.deepEqual(await commandResult(["bash", "-c", "cat; echo err >&2; exit 3"], { stdin: "in" }), {
    code: 3,
    stdout: "in",
    stderr: "err\n",
  });
  assert.deepEqual(await commandResult(["bash", "-c", "kill -KILL $$"]), {
    code: -1,
    signal: "SIGKILL",
    stdout: "",
    stderr: "",
  });
});

test("a command that does not read its input is no error", async () => {
  assert.equal((await commandResult(["true"], { stdin: "x".repeat(1_000_000) })).code, 0);
});

test("a command that does not end is ended, also when a child of it holds the pipe", async () => {
  const started = Date.now();
  await assert.rejects(commandResult(["bash", "-c", "sleep 30 & echo stuck >&2; sleep 30"], { timeoutSec: 0.3 }), {
    message: "bash did not end within 0.3 s:\n  stuck",
  });
  assert.ok(Date.now() - started < 5000);
});

test("a program that is not there is named", async () => {
  await assert.rejects(commandResult(["no-such-program"]), {
    message: "cannot run no-such-program: spawn no-such-program ENOENT",
  });
});

test("a failing step shows its last lines", async () => {
  await assert.rejects(commandOutput("the step", ["bash", "-c", "seq 20 >&2; exit 2"]), {
    message: `the step failed (exit code 2):\n${Array.from({ length: 15 }, (_, index) => `  ${index + 6}`).join("\n")}`,
  });
  await assert.rejects(commandOutput("the step", ["bash", "-c", "echo only out; exit 1"]), {
    message: "the step failed (exit code 1):\n  only out",
  });
  assert.equal(lastLines(""), "");
});

test("lines are told as they come", async () => {
  const lines: string[] = [];
  await commandResult(["bash", "-c", "echo a; echo b"], { onLine: (line) => lines.push(line) });
  assert.deepEqual(lines, ["a", "b"]);
});
