import { createHash } from "node:crypto";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { installAptPackages } from "./apt.ts";
import { cacheFolder } from "./cache.ts";
import { commandOutput, commandResult } from "./command.ts";
import { withLock } from "./lock.ts";

/** Python packages that something here is checked or compared with. */
export interface PythonPackages {
  /** Folder of the cache that holds their environments. */
  readonly folder: string;
  /** Each with its version: `ruff==0.17.5`. */
  readonly pins: readonly string[];
  /** What needs them, for people: `ruff and mypy`. */
  readonly purpose: string;
}

/**
 * The `bin` folder of a virtual environment with these packages, in the cache; made now when it is not there.
 *
 * @throws Error when there is no python3, or pip fails.
 */
export async function virtualEnvironment(
  { folder, pins, purpose }: PythonPackages,
  progress: (line: string) => void,
): Promise<string> {
  const python = await commandResult(["python3", "-c", "import sys; print(sys.executable, sys.version)"]).catch(() => {
    throw new Error(`there is no python3 on PATH: install it for ${purpose}`);
  });
  // Another python3 is another environment: one made by an interpreter that has since gone does not run.
  const digest = createHash("sha256").update(python.stdout).update(pins.join(" ")).digest("hex");
  const base = join(cacheFolder(), folder);
  const venv = join(base, digest.slice(0, 12));
  const bin = join(venv, "bin");
  const complete = join(venv, ".complete");
  if (existsSync(complete)) return bin;
  mkdirSync(base, { recursive: true });
  await withLock(`${venv}.lock`, async () => {
    if (existsSync(complete)) return;
    progress(`installing ${pins.join(" and ")} into a virtual environment`);
    if ((await commandResult(["python3", "-c", "import ensurepip, venv"])).code !== 0) {
      await installAptPackages(["python3-venv"], purpose, progress);
    }
    // Made in place, as a virtual environment cannot be renamed; the mark is what makes it count.
    rmSync(venv, { recursive: true, force: true });
    await commandOutput("python3 -m venv", ["python3", "-m", "venv", venv]);
    const pip = [join(bin, "pip"), "install", "--disable-pip-version-check", "--quiet", ...pins];
    await commandOutput(`pip install ${pins.join(" ")}`, pip);
    writeFileSync(complete, "");
  });
  return bin;
}
