import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { asksTheSame, hostCommand } from "../activation/host-command.ts";
import type { HostConnectionPlain, ProviderConnection } from "./host-connection.ts";
import { providerConnection } from "./host-connection.ts";

const endpointSchema = z.looseObject({
  host: z.string(),
  port: z.number(),
  hostKey: z.string().optional(),
});

const appliedSchema = z.looseObject({
  connection: endpointSchema.extend({ proxy: endpointSchema.optional() }),
  stdin: z.string(),
  create: z.string().optional(),
  // What ran has told something.
  stdout: z.string().min(1),
});

/** What the command that applies a bundle was given when it last was updated. Holds secrets. */
export type AppliedBefore = z.infer<typeof appliedSchema>;

/** The outputs of that command, as the stack's state has them; undefined where it never ran. */
export function appliedBefore(outputs: unknown): AppliedBefore | undefined {
  return appliedSchema.safeParse(outputs).data;
}

/** The connection that the command is given: of several host keys the one that the machine showed last, where it may. */
export function connectionNow(connection: HostConnectionPlain, previous: unknown): ProviderConnection {
  return providerConnection(connection, appliedBefore(previous)?.connection);
}

/**
 * The line that an update runs on the machine; undefined where a new key, address or password is all that changed, which
 * asks nothing of the same machine. The provider updates such a command without running anything.
 * @param connection undefined where only an update can know it, and so is `stdin`
 * @param previous outputs of that command after the last update; undefined for none
 * @param reason why the machine is asked although nothing has changed. It stands in the line, so that a preview shows it
 */
export function applyLine(
  connection: HostConnectionPlain | undefined,
  stdin: string | undefined,
  previous: unknown,
  reason: string | undefined,
): string | undefined {
  const line = hostCommand("apply");
  if (reason !== undefined) return `${line}\n# ${reason}`;
  const last = appliedBefore(previous);
  if (last === undefined || connection === undefined || stdin === undefined) return line;
  const next = connectionNow(connection, previous);
  const isSameLine = last.create === undefined || last.create.split("\n# ")[0] === line;
  if (!isSameLine || !asksTheSame(last.stdin, stdin) || !isSameMachine(last.connection, next)) return line;
  // Without a change the line stays as it is: another would be a change.
  return last.stdin === stdin && isDeepStrictEqual(last.connection, { ...next }) ? last.create : undefined;
}

// Of a receipt that another version of this library may have taken.
const reportSchema = z.looseObject({ systemd: z.number().int() });

/**
 * Major version of systemd that the machine had when it was last updated; undefined for another machine, and where it is not
 * known.
 * @param previous outputs of the command after the last update; undefined for none
 */
export function reportedSystemd(connection: HostConnectionPlain, previous: unknown): number | undefined {
  const last = appliedBefore(previous);
  if (last === undefined || !isSameMachine(last.connection, connectionNow(connection, previous))) return undefined;
  return reportSchema.safeParse(parsedJson(last.stdout)).data?.systemd;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A machine is its host key; where that is not checked, its address. */
function isSameMachine(last: z.infer<typeof endpointSchema>, next: ProviderConnection): boolean {
  if (next.hostKey !== undefined || last.hostKey !== undefined) return last.hostKey === next.hostKey;
  return last.host === next.host && last.port === next.port;
}
