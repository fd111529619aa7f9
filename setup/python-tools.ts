import { join } from "node:path";
import { virtualEnvironment } from "./virtual-environment.ts";

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
  const bin = await virtualEnvironment(
    { folder: "python-tools", pins: ["ruff==0.17.5", "mypy==1.14.1"], purpose: "ruff and mypy" },
    progress,
  );
  return { ruff: join(bin, "ruff"), mypy: join(bin, "mypy") };
}
