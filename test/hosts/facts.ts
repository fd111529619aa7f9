import { setTimeout as sleep } from "node:timers/promises";
import type { SandboxHost } from "../../sandbox/host.ts";

/** Properties of a unit as `systemctl show` gives them, by name. */
export async function shown<K extends string>(
  host: SandboxHost,
  unit: string,
  ...properties: readonly K[]
): Promise<Record<K, string>> {
  const text = await host.output(`systemctl show --property=${properties.join(",")} ${unit}`);
  const values = new Map(
    text
      .trimEnd()
      .split("\n")
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
  // Every property that was asked for is there, or its value is empty on this version of systemd.
  return Object.fromEntries(properties.map((name) => [name, values.get(name) ?? ""])) as Record<K, string>;
}

/** One entry of a host's journal. */
export interface JournalEntry {
  /** Microseconds since the host booted. */
  readonly monotonic: number;
  /** Who wrote it: `1` is systemd itself. */
  readonly pid: string;
  readonly invocation: string;
  readonly message: string;
  /** `UNIT_RESULT=` of systemd's own entries. */
  readonly result: string | undefined;
}

/** What systemd and the unit's processes wrote about a unit since the host booted, oldest first. */
export async function journalOf(host: SandboxHost, unit: string): Promise<JournalEntry[]> {
  const text = await host.output(
    `journalctl --sync; journalctl --no-pager --boot --all --output=json UNIT=${unit} + _SYSTEMD_UNIT=${unit}`,
  );
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const entry: Record<string, string> = JSON.parse(line);
      return {
        monotonic: Number(entry.__MONOTONIC_TIMESTAMP),
        pid: entry._PID ?? "",
        invocation: entry.INVOCATION_ID ?? entry._SYSTEMD_INVOCATION_ID ?? "",
        message: entry.MESSAGE ?? "",
        result: entry.UNIT_RESULT,
      };
    });
}

/** Asks again and again until the answer is there. @throws Error after `seconds`, naming what was awaited */
export async function awaited<T>(
  what: string,
  seconds: number,
  answer: () => Promise<T | undefined | false>,
): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const found = await answer();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${seconds} s`);
    await sleep(100);
  }
}
