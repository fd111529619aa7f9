import { createHash } from "node:crypto";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { installAptPackages } from "./apt.ts";
import { cacheFolder } from "./cache.ts";
import { commandOutput, commandResult } from "./command.ts";
import { withLock } from "./lock.ts";

const pins = ["ruff==0.17.5", "mypy==1.14.1"];

/** The tools that check the host program. */
export interface PythonTools {
  /** The file to run. */
  ruff: string;
  /** The file to run. */
  mypy: string;
}

/**
 * ruff and mypy, each of one pinned version, in a virtual environment in the cache that is made now when it is not there.
 *
 * @throws Error when there is no python3, or pip fails.
 */
export async function pythonTools(progress: (line: string) => void): Promise<PythonTools> {
  const python = await commandResult(["python3", "-c", "import sys; print(sys.executable, sys.version)"]).catch(() => {
    throw new Error("there is no python3 on PATH: install it to check the host program");
  });
  // Another python3 is another environment: one made by an interpreter that has since gone does not run.
  const digest = createHash("sha256").update(python.stdout).update(pins.join(" ")).digest("hex");
  const folder = join(cacheFolder(), "python-tools");
  const venv = join(folder, digest.slice(0, 12));
  const tools: PythonTools = { ruff: join(venv, "bin", "ruff"), mypy: join(venv, "bin", "mypy") };
  const complete = join(venv, ".complete");
  if (existsSync(complete)) return tools;
  mkdirSync(folder, { recursive: true });
  await withLock(`${venv}.lock`, async () => {
    if (existsSync(complete)) return;
    progress(`installing ${pins.join(" and ")} into a virtual environment`);
    if ((await commandResult(["python3", "-c", "import ensurepip, venv"])).code !== 0) {
      await installAptPackages(["python3-venv"], "ruff and mypy", progress);
    }
    // Made in place, as a virtual environment cannot be renamed; the mark is what makes it count.
    rmSync(venv, { recursive: true, force: true });
    await commandOutput("python3 -m venv", ["python3", "-m", "venv", venv]);
    const pip = [join(venv, "bin", "pip"), "install", "--disable-pip-version-check", "--quiet", ...pins];
    await commandOutput(`pip install ${pins.join(" ")}`, pip);
    writeFileSync(complete, "");
  });
  return tools;
}
