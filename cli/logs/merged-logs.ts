import type { LogEntry } from "../../activation/host-logs.ts";

/** An entry and the host of the stack that it is of. */
export interface HostEntry {
  readonly host: string;
  readonly entry: LogEntry;
}

/** How many entries of a host may wait until the others have come as far. */
const most = 1000;

/** Merges the journals of hosts that are read to their end, by time. Each host's own order is kept. */
export class OrderedMerge {
  readonly #hosts: Map<string, { entries: LogEntry[]; isEnded: boolean; resume: (() => void) | undefined }>;
  readonly #onEntry: (entry: HostEntry) => void;

  constructor(hosts: readonly string[], onEntry: (entry: HostEntry) => void) {
    this.#hosts = new Map(hosts.map((host) => [host, { entries: [], isEnded: false, resume: undefined }]));
    this.#onEntry = onEntry;
  }

  /** Takes an entry; a promise where the host should wait for the others. */
  add(host: string, entry: LogEntry): Promise<void> | undefined {
    const own = this.#of(host);
    own.entries.push(entry);
    this.#give();
    if (own.entries.length < most) return undefined;
    return new Promise((resolve) => {
      own.resume = resolve;
    });
  }

  /** A host has no more, or is given up. */
  end(host: string): void {
    this.#of(host).isEnded = true;
    this.#give();
  }

  #of(host: string) {
    const own = this.#hosts.get(host);
    if (own === undefined) throw new Error(`${host} is none of the hosts`);
    return own;
  }

  /** Gives the oldest as long as every host that is not at its end has one. */
  #give(): void {
    for (;;) {
      let oldest: { host: string; time: bigint } | undefined;
      for (const [host, { entries, isEnded }] of this.#hosts) {
        const [first] = entries;
        if (first === undefined) {
          if (isEnded) continue;
          return;
        }
        const time = timeOf(first);
        if (oldest === undefined || time < oldest.time) oldest = { host, time };
      }
      if (oldest === undefined) return;
      const own = this.#of(oldest.host);
      const entry = own.entries.shift();
      if (entry !== undefined) this.#onEntry({ host: oldest.host, entry });
      if (own.entries.length < most) {
        own.resume?.();
        own.resume = undefined;
      }
    }
  }
}

/** When an entry was written, in microseconds since 1970. */
export function timeOf(entry: LogEntry): bigint {
  return BigInt(entry.__REALTIME_TIMESTAMP);
}

/** The same entries by time; of one time, in the order in which they came. */
export function byTime(entries: readonly HostEntry[]): HostEntry[] {
  return [...entries].sort((a, b) => Number(timeOf(a.entry) - timeOf(b.entry)));
}
