import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { withLock } from "../../setup/lock.ts";
import { processIdentity } from "../../setup/process-identity.ts";

const lockModule = join(import.meta.dirname, "..", "..", "setup", "lock.ts");
let folder: string;
let lock: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lock-test-"));
  lock = join(folder, "lock");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The pid of a process that has ended. */
function endedIdentity() {
  const ended = spawnSync("true");
  return { pid: ended.pid, started: "0:1" };
}

test("the work's result comes back, and the lock goes, also when the work throws", async () => {
  assert.equal(await withLock(lock, async () => existsSync(lock)), true);
  assert.equal(existsSync(lock), false);
  await assert.rejects(
    withLock(lock, async () => {
      throw new Error("work");
    }),
    { message: "work" },
  );
  assert.equal(existsSync(lock), false);
});

test("processes that want it at once get it one after the other, past a lock left by a crash", async () => {
  writeFileSync(lock, JSON.stringify(endedIdentity()));
  const log = join(folder, "log");
  const program = `
    import { appendFileSync } from "node:fs";
    import { setTimeout as sleep } from "node:timers/promises";
    import { withLock } from ${JSON.stringify(lockModule)};
    await withLock(${JSON.stringify(lock)}, async () => {
      appendFileSync(${JSON.stringify(log)}, "in ");
      await sleep(20);
      appendFileSync(${JSON.stringify(log)}, "out ");
    });`;
  const children = Array.from({ length: 5 }, () =>
    spawn(process.execPath, ["--input-type=module-typescript", "-e", program], { stdio: "ignore" }),
  );
  const codes = await Promise.all(children.map(async (child) => (await once(child, "close"))[0]));
  assert.deepEqual(codes, [0, 0, 0, 0, 0]);
  assert.equal(readFileSync(log, "utf8"), "in out ".repeat(5));
  assert.equal(existsSync(lock), false);
});

test("a lock that a process left empty when it crashed is taken over after a while", async () => {
  writeFileSync(lock, "");
  await assert.rejects(
    withLock(lock, async () => {}, { waitSec: 0.2 }),
    /held by another process after 0.2 s/,
  );
  utimesSync(lock, new Date(0), new Date(0));
  assert.equal(await withLock(lock, async () => "done", { waitSec: 5 }), "done");
});

test("waiting is bounded and says for whom", async () => {
  const self = processIdentity(process.pid)!;
  writeFileSync(lock, JSON.stringify(self));
  const holders: unknown[] = [];
  await assert.rejects(
    withLock(lock, async () => {}, { waitSec: 0.3, onWait: (holder) => holders.push(holder) }),
    {
      message: `${lock} is still held by process ${process.pid} after 0.3 s: wait for it, or end it`,
    },
  );
  assert.deepEqual(holders, [self]);
});
