import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../setup/cache.ts";
import { isRunning, type ProcessIdentity } from "../setup/process-identity.ts";
import { hostFolder } from "./connection.ts";
import type { DebianRelease } from "./release.ts";

/** What is kept about a sandbox host in its folder, so that any later command can find it or take it away. */
export interface HostRecord {
  name: string;
  release: DebianRelease;
  /** Names the host's network link, network namespace and cgroup: `ps` and eight hexadecimal digits. */
  id: string;
  /** The Debian root under its overlay; absent until that is built. */
  root?: string;
  address?: string;
  /** The pinned public key: `ssh-ed25519 AAAA...`. */
  hostKey?: string;
  /** systemd-nspawn; absent while the host is off. */
  nspawn?: ProcessIdentity;
  /** The host's process 1; absent while the host is off. */
  leader?: ProcessIdentity;
  /** The plug was pulled on purpose. */
  poweredOff?: boolean;
  /** The process at whose end the host goes; absent for a host that stays until it is taken down. */
  owner?: ProcessIdentity;
}

/** The folder under which each host has its own. */
export function hostsFolder(): string {
  return join(cacheFolder(), "hosts");
}

/**
 * Takes the host's name by making its folder with the record in it, in one step.
 *
 * @returns false when a host of that name exists already.
 */
export function claimed(record: HostRecord): boolean {
  mkdirSync(hostsFolder(), { recursive: true });
  const fresh = join(hostsFolder(), `.${record.id}`);
  mkdirSync(fresh);
  writeFileSync(join(fresh, "record.json"), JSON.stringify(record, undefined, 2));
  try {
    renameSync(fresh, hostFolder(record.name));
    return true;
  } catch {
    rmSync(fresh, { recursive: true });
    if (!existsSync(hostFolder(record.name))) throw new Error(`cannot make ${hostFolder(record.name)}`);
    return false;
  }
}

/** Keeps the record in the host's folder, which exists. */
export function writeRecord(record: HostRecord): void {
  const file = join(hostFolder(record.name), "record.json");
  writeFileSync(`${file}.new`, JSON.stringify(record, undefined, 2));
  renameSync(`${file}.new`, file);
}

/** The record of the host `name`, or undefined when there is none. */
export function readRecord(name: string): HostRecord | undefined {
  try {
    // Only this program writes the file, and always whole.
    return JSON.parse(readFileSync(join(hostFolder(name), "record.json"), "utf8")) as HostRecord;
  } catch {
    return undefined;
  }
}

/** The records of all hosts, by name. */
export function readRecords(): HostRecord[] {
  let names: string[];
  try {
    names = readdirSync(hostsFolder()).sort();
  } catch {
    return [];
  }
  return names.filter((name) => !name.startsWith(".")).flatMap((name) => readRecord(name) ?? []);
}

/** Whether the host's process 1 runs. */
export function isBooted(record: HostRecord): boolean {
  return record.leader !== undefined && isRunning(record.leader);
}

/** Whether nobody will come back for the host: its owner has ended, or it went down without having been told to. */
export function isAbandoned(record: HostRecord): boolean {
  if (record.owner !== undefined) return !isRunning(record.owner);
  return !isBooted(record) && record.poweredOff !== true;
}
