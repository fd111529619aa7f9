import { z } from "zod";
import { HostAnswerError, hostProblem, lines } from "./host-answer.ts";
import { hostCommand, hostRequest } from "./host-command.ts";
import type { SshConnection } from "./ssh/connection.ts";
import type { SshSessions } from "./ssh/session.ts";

/** What is wanted of the journal of a scope's units. */
export interface LogRequest {
  /** `project/stack/host`. */
  readonly scope: string;
  /** Names and shell patterns of units; empty: all of the scope. */
  readonly units: readonly string[];
  /** In place of units: what these checks and groups of checks told; empty: all of the stack. */
  readonly checks?: readonly string[] | undefined;
  /** Whether to go on with what comes. */
  readonly follow: boolean;
  /** How many of the last entries; undefined: all, and 10 where it is followed without a begin, as journalctl does. */
  readonly lines?: number | undefined;
  /** A priority, or a range of them, of journalctl(1). */
  readonly priority?: string | undefined;
  /** Times of systemd.time(7), by the host's clock and time zone. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** Of one run of a unit alone: 32 hexadecimal digits. */
  readonly invocation?: string | undefined;
  /** From the begin of a generation to that of the next: its number, or 0 for the present one, -1 for the one before. */
  readonly generation?: number | undefined;
  /** Fields to give beside the journal's own; empty: all. */
  readonly fields: readonly string[];
}

/** Where a reading of a journal has come to. */
export interface LogPosition {
  readonly cursor: string;
  /** Whether the entry at the cursor was had already. */
  readonly isSeen: boolean;
}

const headerSchema = z.strictObject({
  format: z.literal(1),
  now: z.number(),
  /** What journalctl was asked for; empty where the scope has none of the units. */
  units: z.array(z.string()),
  start: z.string().nullable(),
  isShown: z.boolean(),
});

/** One entry as `journalctl -o json` prints it (systemd's Journal Export Formats). */
export const logEntrySchema = z.looseObject({
  __CURSOR: z.string(),
  /** Microseconds since 1970. */
  __REALTIME_TIMESTAMP: z.string().regex(/^\d+$/),
});

export type LogEntry = z.infer<typeof logEntrySchema>;

/** How a journal is read. */
export interface LogReading {
  /** Where to go on; undefined: at the begin of what the request says. */
  readonly from: LogPosition | undefined;
  /** Gets what the host says first: its clock in seconds since 1970, and the units that it found. */
  readonly onStart: (now: number, units: readonly string[]) => void;
  /** Gets each entry once. The host waits while a promise of it is open. */
  readonly onEntry: (entry: LogEntry) => void | Promise<void>;
  /** Gets the position before the first entry, and after each. */
  readonly onPosition: (position: LogPosition) => void;
}

/**
 * The journal of a scope's units on a host, over one connection. It ends when the journal does, and when it is followed, never.
 * @param title how messages call the host
 * @throws SshError when the host cannot be asked or the connection is lost, HostAnswerError with journalctl's own words
 */
export async function hostLogs(
  sessions: SshSessions,
  title: string,
  connection: SshConnection,
  request: LogRequest,
  { from, onStart, onEntry, onPosition }: LogReading,
): Promise<void> {
  const rest: string[] = [];
  let isStarted = false;
  let known: LogPosition | undefined;
  let waiting: Promise<void> | undefined;
  const read = lines((line) => {
    if (!line.startsWith("{")) {
      rest.push(line);
    } else if (!isStarted) {
      isStarted = true;
      const { now, units, start, isShown } = headerSchema.parse(JSON.parse(line));
      if (from === undefined && start !== null) onPosition({ cursor: start, isSeen: !isShown });
      known = from ?? (start === null ? undefined : { cursor: start, isSeen: !isShown });
      onStart(now, units);
    } else {
      const entry = logEntrySchema.parse(JSON.parse(line));
      const cursor = entry.__CURSOR;
      const isTwice = known?.isSeen === true && known.cursor === cursor;
      known = undefined;
      if (isTwice) return;
      waiting = onEntry(entry) ?? waiting;
      onPosition({ cursor, isSeen: true });
    }
  });
  const {
    scope,
    units,
    checks,
    follow,
    lines: count,
    priority,
    since,
    until,
    invocation,
    generation,
    fields,
  } = request;
  const asked = {
    format: 1,
    scope,
    units,
    checks: checks ?? null,
    follow,
    lines: count ?? null,
    priority: priority ?? null,
    since: since ?? null,
    until: until ?? null,
    invocation: invocation ?? null,
    generation: generation ?? null,
    fields,
    cursor: from?.cursor ?? null,
  };
  const { code, stderr } = await sessions.run(title, connection, hostCommand("logs"), {
    stdin: hostRequest(JSON.stringify(asked), connection.sudoPassword),
    onOutput: (text) => {
      waiting = undefined;
      read(text);
      return waiting;
    },
  });
  if (code !== 0) throw new HostAnswerError(hostProblem(title, [...rest, stderr]));
}
