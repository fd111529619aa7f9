import type { Bundle } from "./bundle.ts";
import { HostAnswerError, hostProblem } from "./host-answer.ts";
import { hostCommand, hostInput } from "./host-command.ts";
import { type LookReport, lookReportSchema } from "./look-report.ts";
import type { SshConnection } from "./ssh/connection.ts";
import type { SshSessions } from "./ssh/session.ts";

/** Seconds for a look, the dial not included. */
const lookSec = 120;

/**
 * How a host is, over one connection: nothing is changed there.
 * @param title how messages call the host
 * @param bundle what would be sent now; of one without parts only its scope counts
 * @throws SshError when the host cannot be asked, HostAnswerError when it cannot be looked at
 */
export async function lookAtHost(
  sessions: SshSessions,
  title: string,
  connection: SshConnection,
  bundle: Bundle,
): Promise<LookReport> {
  const stdin = hostInput(bundle, connection.sudoPassword);
  const { code, stdout, stderr } = await sessions.run(title, connection, hostCommand("look"), {
    stdin,
    timeoutSec: lookSec,
  });
  if (code !== 0) throw new HostAnswerError(hostProblem(title, [stdout, stderr]));
  return lookReportSchema.parse(JSON.parse(stdout));
}
