import * as pulumi from "@pulumi/pulumi";
import { HostAnswerError } from "../activation/host-answer.ts";
import { hasLostProgram, sendProgram } from "../activation/send-program.ts";
import { sshSessions } from "../activation/ssh/session.ts";
import { SshError } from "../activation/ssh/ssh-error.ts";
import { type HostConnectionPlain, sshConnection } from "./host-connection.ts";
import { knownValue } from "./output-value.ts";

const sessions = sshSessions();

/**
 * What a Host's command does when the machine has lost the program that runs it: it is sent once more, and the command runs
 * again. The state of the stack cannot tell: to it, the program was copied.
 * @param host which is told of it
 */
export function lostProgramHandler(
  host: pulumi.Resource,
  name: string,
  scope: string,
  connection: pulumi.Output<HostConnectionPlain>,
): pulumi.ErrorHookFunction {
  return async ({ errors }) => {
    const [latest = ""] = errors;
    const given = await knownValue(connection);
    if (given === undefined || !hasLostProgram(latest) || errors.filter(hasLostProgram).length > 1) return false;
    try {
      await sendProgram(sessions, name, sshConnection(given), scope);
    } catch (error) {
      if (!(error instanceof SshError || error instanceof HostAnswerError)) throw error;
      await pulumi.log.error(`${name}: the host has lost its program, and cannot get it: ${error.message}`, host);
      return false;
    }
    await pulumi.log.warn(`${name}: the host had lost pulumi-systemd's program; it was sent once more`, host);
    return true;
  };
}
