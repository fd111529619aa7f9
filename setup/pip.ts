import { installAptPackages } from "./apt.ts";
import { commandResult } from "./command.ts";

/** The command line of a pip on this machine; installed where there is none. */
export async function pip(log: (line: string) => void): Promise<readonly string[]> {
  const command = ["python3", "-m", "pip"];
  const there = await commandResult([...command, "--version"]).catch(() => undefined);
  if (there?.code !== 0)
    await installAptPackages(["python3-pip"], "the Python programs of hosts without internet", log);
  return command;
}
