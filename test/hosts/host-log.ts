import type { SandboxHost } from "../../sandbox/host.ts";

/** A place in a host's journal. */
export type Mark = string;

/** The end of the host's journal as it is now. */
export async function mark(host: SandboxHost): Promise<Mark> {
  const text = await host.output("journalctl --sync; journalctl --lines=1 --output=cat --show-cursor");
  const [, cursor] = /^-- cursor: (.+)$/m.exec(text) ?? [];
  if (cursor === undefined) throw new Error(`${host.name}: the journal has no cursor: ${text}`);
  return cursor;
}

/** What a host's journal got since a mark. */
export interface HostLog {
  /** What sshd wrote: nothing, when nobody opened a connection. */
  readonly sshd: readonly string[];
  /** Logins over SSH. Each connection of Pulumi is one. */
  readonly logins: number;
  /** How often systemd read its units again. */
  readonly daemonReloads: number;
}

/** What the host's journal got since then. */
export async function logSince(host: SandboxHost, since: Mark): Promise<HostLog> {
  // Journalctl's own filters lose the first entry after a cursor on systemd 247 and 252.
  const text = await host.output(
    `journalctl --sync; journalctl --quiet --no-pager --all --output=json --after-cursor='${since}'`,
  );
  const entries = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line): Record<string, string> => JSON.parse(line));
  const sshd = entries
    .filter(({ SYSLOG_IDENTIFIER: name }) => name === "sshd" || name === "sshd-session")
    .map(({ MESSAGE }) => String(MESSAGE));
  return {
    sshd,
    logins: sshd.filter((message) => message.startsWith("Accepted publickey for deploy ")).length,
    // "Reloading." of systemd 247 and 252; 257 says who asked first: "Reload requested from client ...", then "Reloading...".
    daemonReloads: entries.filter(({ _PID, MESSAGE }) => _PID === "1" && /^Reloading\.+$/.test(String(MESSAGE))).length,
  };
}
