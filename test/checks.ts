import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { commandResult } from "../setup/command.ts";
import { pythonTools } from "../setup/python-tools.ts";
import type { Counts } from "./counts.ts";

/** A command over the whole repository that counts as one test: it passes with exit code 0. */
export interface Check {
  name: string;
  /** @throws Error when a tool that it needs cannot be had. */
  command: () => Promise<string[]>;
  /** The folder it runs in, under the repository's top. @default the top itself */
  folder?: string;
}

const rooms = ["systemd", "activation", "components", "policies", "cli", "program", "sandbox", "setup", "demo"];
const borderRooms = [...rooms, "build", "examples", "test", "bench", "index.ts", "main.js"];

/** The type check. */
export const typeChecks: readonly Check[] = [{ name: "types", command: async () => ["tsc", "--noEmit", "-p", "."] }];

/** Formatting, lint, the borders of the rooms, generated files, and the Python programs of `activation/`. */
export function lintChecks(top: string, progress: (line: string) => void): Check[] {
  const borders = borderRooms.filter((room) => existsSync(join(top, room)));
  const checks: Check[] = [
    { name: "format and lint", command: async () => ["biome", "check", "--error-on-warnings", "."] },
    {
      name: "borders of the rooms",
      command: async () => [
        "depcruise",
        "--config",
        ".dependency-cruiser.cjs",
        "--output-type",
        "err-long",
        ...borders,
      ],
    },
    {
      name: "generated files are current",
      command: async () => ["node", "systemd/generate/directives.ts", "--check"],
    },
    {
      name: "tables in docs/hardening.md are current",
      command: async () => ["node", "systemd/generate/hardening-doc.ts", "--check"],
    },
    ...shellScripts(top).map((script) => ({ name: `bash -n ${script}`, command: async () => ["bash", "-n", script] })),
  ];
  for (const folder of pythonFolders(top)) {
    checks.push(
      {
        name: `ruff ${folder}`,
        folder,
        command: async () => [(await pythonTools(progress)).ruff, "check", "--no-cache", "."],
      },
      {
        name: `ruff format ${folder}`,
        folder,
        command: async () => [(await pythonTools(progress)).ruff, "format", "--no-cache", "--check", "."],
      },
      { name: `mypy ${folder}`, folder, command: async () => [(await pythonTools(progress)).mypy, "--strict"] },
    );
  }
  const elsewhere = ["test", "bench"].filter((folder) => existsSync(join(top, folder)));
  checks.push({
    name: `names in the Python of ${elsewhere.join(" and ")}`,
    command: async () => [
      (await pythonTools(progress)).ruff,
      ...["check", "--no-cache", "--isolated", "--select", "F"],
      ...elsewhere,
    ],
  });
  return checks;
}

/** Runs a check and counts it as one test. */
export async function checkCounts(top: string, check: Check, print: (line: string) => void): Promise<Counts> {
  let reason: string;
  try {
    const command = await check.command();
    const result = await commandResult(command, { cwd: join(top, check.folder ?? ""), timeoutSec: 600 });
    if (result.code === 0) return { passed: 1, failed: 0, skipped: 0 };
    reason = `${command.join(" ")} ended with exit code ${result.code}\n${result.stdout}${result.stderr}`.trimEnd();
  } catch (error) {
    reason = error instanceof Error ? error.message : String(error);
  }
  print(`FAILED ${check.name}\n${reason}`);
  return { passed: 0, failed: 1, skipped: 0 };
}

/** The folders with a pyproject.toml in `activation/`: each is one Python program. */
function pythonFolders(top: string): string[] {
  return readdirSync(join(top, "activation"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(top, "activation", entry.name, "pyproject.toml")))
    .map((entry) => join("activation", entry.name));
}

function shellScripts(top: string): string[] {
  return readdirSync(join(top, "sandbox", "scripts")).map((name) => join("sandbox", "scripts", name));
}
