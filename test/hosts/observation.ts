import type { SandboxHost } from "../../sandbox/host.ts";
import { logSince, type Mark, mark } from "./host-log.ts";
import { differingUnits, invocations } from "./invocations.ts";
import { type Listing, listing, listingChanges } from "./listing.ts";

/** A host at one moment. */
export interface Observation {
  readonly host: SandboxHost;
  readonly mark: Mark;
  readonly leftOut: readonly string[];
  readonly invocations: Readonly<Record<string, string>>;
  readonly listing: Listing;
}

/** What became of a host since it was observed. */
export interface Changes {
  /** Connections over SSH that logged in; any other contact is `sshd contacted`. */
  readonly logins: number | "sshd contacted";
  /** How often systemd read its units again. */
  readonly daemonReloads: number;
  /** Units that were started, or started again, by name; `stopped NAME` for those that are no longer loaded. */
  readonly started: readonly string[];
  /** Paths that differ, and how: `changed /etc/x (content)`. */
  readonly files: readonly string[];
}

/** Nothing at all, not even a connection. */
export const untouched: Changes = { logins: 0, daemonReloads: 0, started: [], files: [] };

/** Where the host program keeps account of what it made. */
export const ledger = "/var/lib/pulumi-systemd";

/** Where the host program waits for the next update after a first one that failed. */
export const uploads = "/home/deploy/.pulumi-systemd-*";

/**
 * Observes a host.
 * @param leftOut paths that do not count, such as the ledger and data directories
 */
export async function observed(host: SandboxHost, leftOut: readonly string[]): Promise<Observation> {
  return {
    host,
    leftOut,
    listing: await listing(host, leftOut),
    invocations: await invocations(host),
    mark: await mark(host),
  };
}

/** What became of the host since. */
export async function changesSince(before: Observation): Promise<Changes> {
  const log = await logSince(before.host, before.mark);
  const now = await observed(before.host, before.leftOut);
  return {
    logins: log.logins === 0 && log.sshd.length > 0 ? "sshd contacted" : log.logins,
    daemonReloads: log.daemonReloads,
    started: differingUnits(before.invocations, now.invocations),
    files: listingChanges(before.listing, now.listing),
  };
}

/** Observes several hosts at once. */
export function observedAll(hosts: readonly SandboxHost[], leftOut: readonly string[]): Promise<Observation[]> {
  return Promise.all(hosts.map((host) => observed(host, leftOut)));
}

/** What became of each host, by its release. */
export async function allChangesSince(before: readonly Observation[]): Promise<Record<string, Changes>> {
  const changes = before.map(async (one) => [one.host.release, await changesSince(one)] as const);
  return Object.fromEntries(await Promise.all(changes));
}

/** The same expectation for each host, by its release. */
export function onEach<T>(hosts: readonly SandboxHost[], expected: T | ((host: SandboxHost) => T)): Record<string, T> {
  const expectation = (host: SandboxHost) =>
    typeof expected === "function" ? (expected as (host: SandboxHost) => T)(host) : expected;
  return Object.fromEntries(hosts.map((host) => [host.release, expectation(host)]));
}
