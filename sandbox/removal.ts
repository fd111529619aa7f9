import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { commandOutput } from "../setup/command.ts";
import { withLock } from "../setup/lock.ts";
import { rootCommand } from "../setup/privileges.ts";
import { isRunning } from "../setup/process-identity.ts";
import { hostFolder } from "./connection.ts";
import { type HostRecord, hostsFolder, isAbandoned, readRecord, readRecords } from "./record.ts";

/** The command that pulls the host's plug. */
export function stopCommand(record: HostRecord): string[] {
  return rootCommand(["bash", script("stop-host.sh"), hostFolder(record.name), record.id, ...processes(record)]);
}

/** Takes the host away: its processes, mounts, link and folder. Nothing happens when it has gone already. */
export async function removeHost(record: HostRecord): Promise<void> {
  dropFromExit(record);
  if (readRecord(record.name)?.id !== record.id) return;
  await commandOutput(`taking down the sandbox host ${record.name}`, removeCommand(record));
}

/** Takes away every host that nobody will come back for, for example after a crash. */
export async function removeAbandonedHosts(log: (line: string) => void): Promise<void> {
  if (!readRecords().some(isAbandoned)) return;
  mkdirSync(hostsFolder(), { recursive: true });
  await withLock(join(hostsFolder(), ".removal.lock"), async () => {
    for (const record of readRecords().filter(isAbandoned)) {
      log(`taking down ${record.name}, which a run that has ended left behind`);
      await removeHost(record);
    }
  });
}

const removedAtExit = new Map<string, { record: HostRecord; abort: AbortController }>();
let exitWatched = false;

/**
 * From now on the host goes when this process ends, be it by its own end, by an error or by a signal.
 *
 * @returns fires at that moment: what is at work on the host stops, as it would bring back what is being taken away.
 */
export function removeAtExit(record: HostRecord): AbortSignal {
  const abort = new AbortController();
  removedAtExit.set(record.id, { record, abort });
  if (!exitWatched) watchExit();
  return abort.signal;
}

/** Takes back {@link removeAtExit}. */
export function dropFromExit(record: HostRecord): void {
  removedAtExit.delete(record.id);
}

function watchExit(): void {
  exitWatched = true;
  process.on("exit", removeAllNow);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    const end = () => {
      removeAllNow();
      process.off(signal, end);
      process.kill(process.pid, signal);
    };
    // Not `once`: a second Ctrl-C must not end this process while the hosts go.
    process.on(signal, end);
  }
}

function removeAllNow(): void {
  for (const { record, abort } of removedAtExit.values()) {
    abort.abort();
    const current = readRecord(record.name);
    if (current?.id !== record.id) continue;
    const [program, ...args] = removeCommand(current);
    const removal = spawnSync(program!, args, { encoding: "utf8" });
    if (removal.status !== 0) {
      process.stderr.write(`taking down the sandbox host ${record.name} failed: ${removal.stderr}\n`);
    }
  }
  removedAtExit.clear();
}

function removeCommand(record: HostRecord): string[] {
  // In a session of its own, so that a second Ctrl-C at the terminal does not end it half-way.
  return rootCommand([
    ...["setsid", "--wait", "bash", script("remove-host.sh"), hostFolder(record.name), record.id],
    ...processes(record),
  ]);
}

// A recycled pid is another process: only those of this boot that still run are named, with their start time.
function processes(record: HostRecord): string[] {
  return [record.leader, record.nspawn].flatMap((process) =>
    process !== undefined && isRunning(process) ? [`${process.pid}:${process.started.split(":").at(-1)}`] : [],
  );
}

function script(name: string): string {
  const file = join(import.meta.dirname, "scripts", name);
  if (!existsSync(file)) throw new Error(`${file} is missing`);
  return file;
}
