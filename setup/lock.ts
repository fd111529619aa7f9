import { closeSync, openSync, readFileSync, statSync, unlinkSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { isRunning, type ProcessIdentity, processIdentity } from "./process-identity.ts";

/** How long a lock is waited for, and who hears of it. */
export interface LockOptions {
  /**
   * Seconds to wait for another process that holds the lock.
   * @default 900
   */
  waitSec?: number;
  /** Called once when the lock is held by another process. */
  onWait?: (holder: ProcessIdentity) => void;
}

const breakerLifetimeMs = 10_000;

/**
 * Runs `work` while this process alone holds the lock file `file`, whose folder must exist. The lock of a process that
 * has ended is taken over.
 *
 * @throws Error when another process still holds the lock after `waitSec`, with its pid and the file's name.
 */
export async function withLock<T>(file: string, work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  const deadline = Date.now() + (options.waitSec ?? 900) * 1000;
  let told = false;
  while (!created(file)) {
    const holder = holderOf(file);
    if (holder === "ended") {
      removeEnded(file);
    } else if (holder !== "none") {
      if (!told) options.onWait?.(holder);
      told = true;
    }
    if (Date.now() > deadline) {
      const who = typeof holder === "string" ? "another process" : `process ${holder.pid}`;
      throw new Error(`${file} is still held by ${who} after ${options.waitSec ?? 900} s: wait for it, or end it`);
    }
    await sleep(100);
  }
  try {
    return await work();
  } finally {
    unlinkSync(file);
  }
}

function created(file: string): boolean {
  const self = processIdentity(process.pid);
  if (self === undefined) throw new Error(`cannot read the start time of this process (${process.pid})`);
  let descriptor: number;
  try {
    descriptor = openSync(file, "wx");
  } catch (error) {
    if (isCode(error, "EEXIST")) return false;
    throw error;
  }
  writeSync(descriptor, JSON.stringify(self));
  closeSync(descriptor);
  return true;
}

function holderOf(file: string): ProcessIdentity | "ended" | "none" {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (isCode(error, "ENOENT")) return "none";
    throw error;
  }
  const holder = parsed(text);
  // Between its creation and its first write a lock is empty; only one left so for long is a crash's.
  if (holder === undefined) return olderThan(file, breakerLifetimeMs) ? "ended" : "none";
  return isRunning(holder) ? holder : "ended";
}

// Two waiters may both find the holder ended; without this second lock the slower could remove the faster one's lock.
function removeEnded(file: string): void {
  const breaker = `${file}.breaking`;
  try {
    closeSync(openSync(breaker, "wx"));
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
    if (olderThan(breaker, breakerLifetimeMs)) removed(breaker);
    return;
  }
  try {
    if (holderOf(file) === "ended") removed(file);
  } finally {
    removed(breaker);
  }
}

function parsed(text: string): ProcessIdentity | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("pid" in value) || !("started" in value)) return undefined;
    const { pid, started } = value;
    return typeof pid === "number" && typeof started === "string" ? { pid, started } : undefined;
  } catch {
    return undefined;
  }
}

function olderThan(file: string, milliseconds: number): boolean {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat !== undefined && Date.now() - stat.mtimeMs > milliseconds;
}

function removed(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    if (!isCode(error, "ENOENT")) throw error;
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
