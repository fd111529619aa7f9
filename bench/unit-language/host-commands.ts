import type { SandboxHost } from "../../sandbox/host.ts";
import type { CommandResult } from "../../setup/command.ts";

/** A command to be run inside a host. */
export interface HostCommand {
  readonly command: readonly string[];
  /** Beside `PATH` and `LANG`. @default - nothing */
  readonly env?: Readonly<Record<string, string>>;
}

const runner = `
import json, os, subprocess, sys
from concurrent.futures import ThreadPoolExecutor
jobs = json.load(sys.stdin)
def run(job):
    env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **job.get("env", {})}
    done = subprocess.run(job["command"], env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    return {"code": done.returncode, "stdout": done.stdout.decode(), "stderr": done.stderr.decode()}
with ThreadPoolExecutor(2) as pool:
    json.dump(list(pool.map(run, jobs)), sys.stdout)
`;

/** Runs many short commands inside a host, two at a time; the results are in the order of the commands. */
export async function hostCommandResults(
  host: SandboxHost,
  commands: readonly HostCommand[],
): Promise<readonly CommandResult[]> {
  return hostPython(host, runner, commands);
}

/** Writes many text files inside a host, folders made, in one command. */
export async function writeHostFiles(host: SandboxHost, files: Readonly<Record<string, string>>): Promise<void> {
  const writer = `
import json, os, sys
for path, text in json.load(sys.stdin).items():
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(text.encode())
print("null")
`;
  await hostPython(host, writer, files);
}

/** What a Python program inside a host answers: it reads JSON from standard input and writes JSON. */
export async function hostPython<Answer>(host: SandboxHost, program: string, input: unknown): Promise<Answer> {
  const path = "/run/oracle-program.py";
  await host.writeFile(path, program);
  const answer = await host.output(`exec python3 ${path}`, { stdin: JSON.stringify(input), timeoutSec: 900 });
  return JSON.parse(answer) as Answer;
}
