import { join } from "node:path";
import { z } from "zod";
import { commandOutput } from "../../setup/command.ts";

/** One command, and the file that it reads as its standard input. */
export interface TimedCommand {
  readonly argv: readonly string[];
  readonly stdin?: string;
}

/** What an operation cost on this machine. */
export interface Cost {
  /** Wall time. */
  readonly seconds: number;
  /** CPU time of this machine's part: commands and their children, not what runs on the hosts. */
  readonly cpuSeconds: number;
  /** Largest memory of one of the processes. */
  readonly megabytes: number;
}

const report = z.object({
  seconds: z.number(),
  cpuSeconds: z.number(),
  megabytes: z.number(),
  codes: z.array(z.union([z.number(), z.string()])),
  outputs: z.array(z.string()),
});

/**
 * Runs commands side by side to their end.
 * @throws Error with the output when one of them fails or has not ended in time
 */
export async function timed(
  what: string,
  commands: readonly TimedCommand[],
  env: NodeJS.ProcessEnv,
  timeoutSec = 1800,
): Promise<Cost> {
  const asked = { commands: commands.map(({ argv, stdin }) => ({ argv, stdin: stdin ?? null })), timeoutSec };
  const text = await commandOutput(what, ["python3", join(import.meta.dirname, "timed.py")], {
    stdin: JSON.stringify(asked),
    env,
    timeoutSec: timeoutSec + 60,
  });
  const { codes, outputs, ...cost } = report.parse(JSON.parse(text));
  codes.forEach((code, index) => {
    if (code !== 0) throw new Error(`${what} ended with ${code}:\n${outputs[index]}`);
  });
  return cost;
}
