import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ReleaseError } from "../release/error.ts";
import type { LockInput } from "./lock-input.ts";
import { pylockRequirements } from "./pylock.ts";
import { requirementsInputs } from "./requirements.ts";
import { hasAllHashes } from "./uv-lock.ts";

/** What an environment is installed from. */
export interface Lock {
  /** `requirements`: a requirements.txt for pip or uv. `uv`: a uv.lock with its pyproject.toml, which uv alone reads. */
  readonly kind: "requirements" | "uv";
  readonly inputs: readonly LockInput[];
  /** Whether the lock names every package with its hash, so that nothing else can be installed. */
  readonly isHashed: boolean;
}

/**
 * Reads a lock by its name: `uv.lock` (with the `pyproject.toml` beside it), `pylock.toml` or `pylock.NAME.toml`, else a
 * `requirements.txt` with all that it includes.
 * @throws ReleaseError naming the file and what is wrong with it
 */
export function readLock(file: string): Lock {
  const name = basename(file);
  if (!existsSync(file)) throw new ReleaseError(`${JSON.stringify(file)} does not exist; give a lock: ${accepted}`);
  if (name === "uv.lock") {
    const project = join(dirname(file), "pyproject.toml");
    if (!existsSync(project)) throw new ReleaseError(`${file}: there is no pyproject.toml beside it, which uv needs`);
    const inputs = [file, project].map((path) => ({ path: basename(path), content: readFileSync(path, "utf8") }));
    return { kind: "uv", inputs, isHashed: hasAllHashes(inputs[0]!.content) };
  }
  if (/^pylock(\.[^.]+)?\.toml$/.test(name)) {
    const content = pylockRequirements(file, readFileSync(file, "utf8"));
    return { kind: "requirements", inputs: [{ path: "requirements.txt", content }], isHashed: true };
  }
  if (name.endsWith(".toml")) {
    throw new ReleaseError(`${file} does not say which versions are installed; give its lock: ${accepted}`);
  }
  const inputs = requirementsInputs(file);
  return { kind: "requirements", inputs, isHashed: inputs.some(({ content }) => /--hash[= ]/.test(content)) };
}

const accepted = "requirements.txt (for example of `pip freeze` or `uv export`), pylock.toml or uv.lock";
