import { z } from "zod";
import { HostAnswerError, hostProblem, lines } from "./host-answer.ts";
import { hostCommand, hostRequest } from "./host-command.ts";
import type { SshConnection } from "./ssh/connection.ts";
import type { SshSessions } from "./ssh/session.ts";

/** Seconds for one status, the dial not included. */
const statusSec = 120;

const unixTime = z.number().nullable();

/** One managed unit as systemd shows it now. Times are Unix times in seconds. */
export const unitStatusSchema = z.strictObject({
  name: z.string(),
  activeState: z.string(),
  subState: z.string(),
  /** When it came to be in this state; null where systemd does not say. */
  since: unixTime,
  /** systemd's name for how it ended last: `success`, `exit-code`, `timeout`. */
  result: z.string(),
  /** How the main process ended where that was no success: `203/EXEC`, `1`, `SIGKILL`. */
  exit: z.string(),
  /** The same in words; empty for a success. */
  why: z.string(),
  /** False when it failed, waits for another automatic restart, or is down and should run. */
  well: z.boolean(),
  unitFileState: z.string(),
  activation: z.string(),
  /** Restarts by systemd itself since somebody started it; null for what has no process. */
  restarts: z.number().int().nullable(),
  memoryBytes: z.number().nullable(),
  /** Of a timer; null where there is none. */
  nextRun: unixTime,
  lastRun: unixTime,
  invocationId: z.string(),
});

/** One check of a HealthCheck. */
export const checkStatusSchema = z.strictObject({
  check: z.string(),
  group: z.string(),
  /** The unit that it watches; null for none. */
  unit: z.string().nullable(),
  /** One word: `healthy`, `acting`, `open`. docs/health.md has them all. */
  state: z.string(),
  status: z.string(),
  since: unixTime,
  outageSince: unixTime,
  heldUntil: unixTime,
});

const holdSchema = z.looseObject({ who: z.string(), at: z.number(), until: z.number(), reason: z.string() });

/** What the host program prints for `status`. */
export const hostStatusSchema = z.strictObject({
  format: z.literal(1),
  scope: z.string(),
  hostname: z.string(),
  /** Major version of systemd on the host. */
  systemd: z.number().int(),
  /** Generation that was applied last; 0 where none ever was. */
  generation: z.number().int().min(0),
  /** When it came to be. */
  at: z.number(),
  /** The host's clock. */
  now: z.number(),
  /** Whether the host has booted since. */
  booted: z.boolean(),
  /** Who holds updates off. */
  hold: holdSchema.nullable(),
  rolledBack: z.looseObject({ to: z.number(), left: z.number(), who: z.string(), at: z.number() }).nullable(),
  /** What is down comes first. */
  units: z.array(unitStatusSchema),
  health: z.array(checkStatusSchema),
  /** Why the checks could not be asked; empty when they could. */
  healthProblem: z.string(),
  /** Who is at work on the host now, so that nothing was compared; empty when nobody is. */
  busy: z.string(),
  /** How the host differs from what was applied. */
  findings: z.array(z.strictObject({ kind: z.string(), unit: z.string(), path: z.string() })),
});

export type UnitStatus = z.infer<typeof unitStatusSchema>;
export type CheckStatus = z.infer<typeof checkStatusSchema>;
export type HostStatus = z.infer<typeof hostStatusSchema>;

/** How a status is asked for. */
export interface HostStatusOptions {
  /** Seconds between one status and the next over the same connection. 0: one status. */
  readonly everySec: number;
  /** Gets each status as it comes. */
  readonly onStatus: (status: HostStatus) => void;
  /** Ends the connection. */
  readonly signal?: AbortSignal;
}

/**
 * How the units of a scope on a host are, over one connection: nothing is changed there.
 * @param title how messages call the host
 * @param scope `project/stack/host`
 * @throws SshError when the host cannot be asked or the connection is lost, HostAnswerError when it gives no status
 */
export async function hostStatus(
  sessions: SshSessions,
  title: string,
  connection: SshConnection,
  scope: string,
  { everySec, onStatus, signal }: HostStatusOptions,
): Promise<void> {
  const rest: string[] = [];
  const reader = lines((line) => {
    if (line.startsWith("{")) onStatus(hostStatusSchema.parse(JSON.parse(line)));
    else rest.push(line);
  });
  const request = JSON.stringify({ format: 1, scope, everySec });
  const { code, stderr } = await sessions.run(title, connection, hostCommand("status"), {
    stdin: hostRequest(request, connection.sudoPassword),
    ...(everySec === 0 ? { timeoutSec: statusSec } : {}),
    ...(signal === undefined ? {} : { signal }),
    onOutput: reader,
  });
  if (code !== 0) throw new HostAnswerError(hostProblem(title, [...rest, stderr]));
}
