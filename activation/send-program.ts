import { HostAnswerError, hostProblem } from "./host-answer.ts";
import { hostProgram } from "./host-program.ts";
import type { SshConnection } from "./ssh/connection.ts";
import type { SshSessions } from "./ssh/session.ts";
import { programName } from "./uploads.ts";

/** Seconds for the program to be there, the dial not included. */
const sendSec = 60;

/** Whether a transaction failed because the host has lost the program that runs it: it may be restored from an older copy. */
export function hasLostProgram(error: string): boolean {
  return /^\s*pulumi-systemd: its program is gone from this host/m.test(error);
}

/**
 * Brings the host program to the login user's home once more, over one connection.
 * @param title how messages call the host
 * @throws SshError when the host cannot be reached, HostAnswerError when it cannot take the program
 */
export async function sendProgram(
  sessions: SshSessions,
  title: string,
  connection: SshConnection,
  scope: string,
): Promise<void> {
  const { packed, programSha256 } = hostProgram();
  const name = programName(scope, programSha256);
  const { code, stdout, stderr } = await sessions.run(
    title,
    connection,
    `sh -c 'cd && umask 077 && cat > ${name}.part && mv -f ${name}.part ${name}'`,
    { stdin: packed, timeoutSec: sendSec },
  );
  if (code !== 0) throw new HostAnswerError(hostProblem(title, [stdout, stderr]));
}
