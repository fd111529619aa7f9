import { decodedExecCommands, ExecCommandError, execPathProblem } from "../exec-command.ts";
import type { ValueCheck } from "./value-check.ts";

/**
 * Why systemd refuses a command line: an open quote, no executable, a relative path, contradicting prefixes. Arguments
 * are not echoed: a person may have put a secret there.
 */
export const commandProblem: ValueCheck = (value) => {
  try {
    for (const { path } of decodedExecCommands(value, { expand: true })) {
      const problem = /^\$/.test(path) ? undefined : execPathProblem(path, { expand: true });
      if (problem !== undefined) return problem;
    }
    return undefined;
  } catch (error) {
    if (error instanceof ExecCommandError) return error.message;
    throw error;
  }
};
