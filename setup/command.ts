import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** What a finished command left behind. */
export interface CommandResult {
  /** Its exit code; 128 plus the signal's number is not used: a command ended by a signal has -1. */
  code: number;
  /** The signal that ended it, for example `SIGKILL`. */
  signal?: NodeJS.Signals;
  stdout: string;
  stderr: string;
}

/** How a command is run. */
export interface CommandOptions {
  /** Written to its standard input, which is then closed. */
  stdin?: string | Buffer;
  /** The whole environment. @default that of this process */
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Seconds after which it is ended by SIGKILL. @default - no bound */
  timeoutSec?: number;
  /** Ends the command by SIGKILL when it fires. */
  signal?: AbortSignal;
  /** Called with each line of either stream as it comes, for progress. */
  onLine?: (line: string) => void;
}

/**
 * Runs a command to its end, whatever its exit code.
 *
 * @throws Error when the command cannot be started or passes `timeoutSec`.
 */
export async function commandResult(command: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [program, ...args] = command;
  if (program === undefined) throw new Error("no command given");
  const child = spawn(program, args, {
    stdio: "pipe",
    killSignal: "SIGKILL",
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  if (options.onLine !== undefined) {
    for (const input of [child.stdout, child.stderr]) createInterface({ input }).on("line", options.onLine);
  }
  // A command that ends without reading its input closes the pipe early; its exit code tells what matters.
  child.stdin.on("error", () => {});
  child.stdin.end(options.stdin ?? "");
  let timedOut = false;
  const timer =
    options.timeoutSec === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          child.kill("SIGKILL");
          // A grandchild may hold the pipes open after the command itself has gone.
          child.stdout.destroy();
          child.stderr.destroy();
        }, options.timeoutSec * 1000);
  try {
    return await new Promise<CommandResult>((resolve, reject) => {
      child.on("error", (error) => reject(new Error(`cannot run ${program}: ${error.message}`)));
      child.on("close", (code, signal) => {
        const result = {
          code: code ?? -1,
          ...(signal === null ? {} : { signal }),
          stdout: Buffer.concat(stdout).toString("utf8"),
          stderr: Buffer.concat(stderr).toString("utf8"),
        };
        if (timedOut) {
          reject(new Error(`${program} did not end within ${options.timeoutSec} s${lastLines(result.stderr)}`));
        } else {
          resolve(result);
        }
      });
    });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The standard output of a command that must succeed.
 *
 * @param what - names the step in the error, for example `apt-get install`.
 * @throws Error with the exit code and the last lines of output when it fails.
 */
export async function commandOutput(
  what: string,
  command: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const result = await commandResult(command, options);
  if (result.code !== 0) {
    const how = result.signal === undefined ? `exit code ${result.code}` : result.signal;
    throw new Error(`${what} failed (${how})${lastLines(result.stderr.trim() === "" ? result.stdout : result.stderr)}`);
  }
  return result.stdout;
}

/** The last `count` lines of a text, indented under a colon for an error message; "" for an empty text. */
export function lastLines(text: string, count = 15): string {
  const lines = text.trimEnd().split("\n").slice(-count);
  return lines.join("") === "" ? "" : `:\n${lines.map((line) => `  ${line}`).join("\n")}`;
}
