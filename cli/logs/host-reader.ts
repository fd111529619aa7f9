import { setTimeout as sleep } from "node:timers/promises";
import { HostAnswerError } from "../../activation/host-answer.ts";
import { hostLogs, type LogEntry, type LogPosition, type LogRequest } from "../../activation/host-logs.ts";
import type { SshSessions } from "../../activation/ssh/session.ts";
import { SshError } from "../../activation/ssh/ssh-error.ts";
import type { StackHost } from "../stack/stack-hosts.ts";

/** What the reading of one host tells. */
export interface HostReaderEvents {
  /** The host's clock in seconds since 1970, and the units that it found. Once. */
  readonly onStart: (now: number, units: readonly string[]) => void;
  /** Each entry once, in the journal's order. The host waits while a promise of it is open. */
  readonly onEntry: (entry: LogEntry) => void | Promise<void>;
  /** The connection was lost, or is there again. */
  readonly onLost: (problem: string) => void;
  readonly onBack: () => void;
}

/** A host that was lost is dialled again after this long, then after twice that, up to half a minute. */
const redialSec = 1;
const redialMostSec = 30;
/** How often in a row a host is dialled in vain before it is given up, where nobody follows. */
const triesToEnd = 3;

/**
 * Reads the journal of a host's units to its end, or for ever where it is followed. A lost connection is picked up where it
 * was, so that nothing comes twice and nothing is missed.
 * @returns why it could not be read to its end; undefined when it was
 */
export async function readHost(
  { name, scope, connection, unknown }: StackHost,
  sessions: SshSessions,
  request: Omit<LogRequest, "scope">,
  { onStart, onEntry, onLost, onBack }: HostReaderEvents,
): Promise<string | undefined> {
  if (connection === undefined) {
    return `${name}: how it is reached is known only after an update (${unknown.join(", ")})`;
  }
  let position: LogPosition | undefined;
  let isStarted = false;
  let isLost = false;
  let hasUnits = false;
  for (let tries = 0; ; tries += 1) {
    try {
      await hostLogs(
        sessions,
        name,
        connection,
        { ...request, scope },
        {
          from: position,
          onStart: (now, units) => {
            tries = 0;
            if (isLost) onBack();
            isLost = false;
            if (!isStarted) onStart(now, units);
            isStarted = true;
            hasUnits = units.length > 0 || request.invocation !== undefined;
          },
          onEntry,
          onPosition: (found) => {
            position = found;
          },
        },
      );
      if (!request.follow || request.until !== undefined || !hasUnits) return undefined;
      // Somebody on the host ended it.
    } catch (error) {
      if (error instanceof HostAnswerError) return error.message;
      if (!(error instanceof SshError)) throw error;
      // What a second try would not mend is told at once.
      const isHopeless = !isStarted && !["timeout", "unreachable", "closed", "refused"].includes(error.problem);
      if (isHopeless || (!request.follow && tries + 1 >= triesToEnd)) return error.message;
      if (!isLost) onLost(error.message);
      isLost = true;
    }
    await sleep(Math.min(redialSec * 2 ** tries, redialMostSec) * 1000);
  }
}
