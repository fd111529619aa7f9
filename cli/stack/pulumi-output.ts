import { spawn } from "node:child_process";
import { UsageError } from "../unit-source.ts";

const boundSec = 120;

/**
 * What a command of the Pulumi CLI prints on standard output.
 * @throws UsageError with the CLI's own words when it fails, is not installed, or has not ended in two minutes
 */
export function pulumiOutput(args: readonly string[], folder: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("pulumi", ["--non-interactive", ...args], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: boundSec * 1000,
    });
    let printed = "";
    let complaint = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      printed += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      complaint += chunk;
    });
    child.on("error", () => {
      reject(new UsageError("the Pulumi CLI `pulumi` is not on the PATH: it reads the stack's state and secrets"));
    });
    child.on("close", (code, signal) => {
      if (code === 0) resolve(printed);
      else {
        const ended = signal === null ? complaint.trim() : `it had not ended after ${boundSec} s`;
        reject(new UsageError(`pulumi ${args.join(" ")}: ${ended}`));
      }
    });
  });
}
