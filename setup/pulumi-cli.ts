import { spawn } from "node:child_process";

/** What one run of the Pulumi CLI printed, and how it ended. */
export interface PulumiRun {
  readonly code: number;
  /** Standard output and error together, in the order in which they came. */
  readonly output: string;
  /** Standard output alone: where `--json` prints. */
  readonly stdout: string;
}

/** How one run is made. */
export interface PulumiRunOptions {
  /** Environment of the CLI, with `pulumi` on its PATH. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Text for its standard input. @default none */
  readonly input?: string;
  /** Gets each line of output while it runs. @default none */
  readonly show?: (line: string) => void;
  /** Seconds after which the run is ended. @default 900 */
  readonly timeoutSec?: number;
}

/**
 * Runs the Pulumi CLI without questions and gives what it printed, whatever its exit status.
 * @throws Error when the CLI cannot be started or has not ended in time
 */
export function pulumiRun(args: readonly string[], options: PulumiRunOptions): Promise<PulumiRun> {
  const { env, input = "", show, timeoutSec = 900 } = options;
  return new Promise((resolve, reject) => {
    const child = spawn("pulumi", ["--non-interactive", ...args], { env, stdio: ["pipe", "pipe", "pipe"] });
    const bound = setTimeout(() => {
      child.kill("SIGTERM");
      reject(new Error(`pulumi ${args.join(" ")} has not ended after ${timeoutSec} s:\n${output}`));
    }, timeoutSec * 1000);
    let output = "";
    let stdout = "";
    let line = "";
    const take = (chunk: string) => {
      output += chunk;
      const lines = (line + chunk).split("\n");
      line = lines.pop() ?? "";
      for (const whole of lines) show?.(whole);
    };
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
      take(chunk);
    });
    child.stderr.setEncoding("utf8").on("data", take);
    child.on("error", (error) => {
      clearTimeout(bound);
      reject(error);
    });
    child.on("close", (code) => {
      clearTimeout(bound);
      if (line !== "") show?.(line);
      resolve({ code: code ?? 1, output, stdout });
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}
