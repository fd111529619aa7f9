import { spawn } from "node:child_process";
import { join } from "node:path";
import type { TestStack } from "./stack.ts";

const repository = join(import.meta.dirname, "../..");

/** How a `pulumi-systemd` command ended. */
export interface CommandRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A `pulumi-systemd` command that runs. */
export interface RunningCommand {
  /** What it printed so far. */
  readonly stdout: string;
  readonly stderr: string;
  /** Its end. */
  readonly ended: Promise<CommandRun>;
  /** Ends it as Ctrl-C does. */
  stop(): Promise<CommandRun>;
}

/** Starts a `pulumi-systemd` command on a stack; it is killed after `timeoutSec`. */
export function startedCommand(stack: TestStack, words: readonly string[], timeoutSec = 120): RunningCommand {
  const configFile = join(stack.folder, `Pulumi.${stack.name}.yaml`);
  const options = ["--stack", stack.name, "--cwd", repository, "--config-file", configFile];
  const child = spawn(process.execPath, [join(repository, "cli/main.ts"), ...words, ...options], {
    env: stack.env,
    timeout: timeoutSec * 1000,
  });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (chunk: string) => {
      said[name] += chunk;
    });
  }
  const ended = new Promise<CommandRun>((resolve) => {
    child.on("close", (code) => resolve({ code, ...said }));
  });
  return {
    get stdout() {
      return said.stdout;
    },
    get stderr() {
      return said.stderr;
    },
    ended,
    stop: () => {
      child.kill("SIGINT");
      return ended;
    },
  };
}
