import { createHash } from "node:crypto";
import { type Lock, readLock } from "./environment/lock.ts";
import type { LockInput } from "./environment/lock-input.ts";
import { type Archive, fileSha256, isWheel, ReleaseError, wheelhouseArchive } from "./release.ts";

/** What the user says about the environment of a release. */
export interface EnvironmentArgs {
  /** Path of the source, where that is a wheel it is installed too. */
  readonly source: string;
  /** Path of the lock on this machine. */
  readonly lock: string | undefined;
  readonly wheelhouse: string | undefined;
  readonly python: string | undefined;
}

/** The environment of a release: everything that decides what is in it, but for the host's interpreter. */
export interface Environment {
  /** SHA-256 over the lock, the wheels and the wanted interpreter. Two environments with the same one are the same. */
  readonly digest: string;
  readonly lockKind: "requirements" | "uv" | "none";
  readonly inputs: readonly LockInput[];
  readonly isHashed: boolean;
  /** `3.12`, an absolute path, or undefined for the host's `python3`. */
  readonly python: string | undefined;
  readonly wheelhouse: Archive | undefined;
}

/**
 * The environment that a release needs; undefined when it needs none.
 * @throws ReleaseError naming what is wrong with the lock or the wheels
 */
export function plannedEnvironment({ source, lock, wheelhouse, python }: EnvironmentArgs): Environment | undefined {
  if (lock === undefined && !isWheel(source)) {
    if (wheelhouse !== undefined)
      throw new ReleaseError("wheelhouse: is given without requirements; name the lock to install");
    if (python !== undefined) {
      throw new ReleaseError(
        "python: is given without requirements; for a program that needs no packages, give its `interpreter`",
      );
    }
    return undefined;
  }
  const read: Lock | undefined = lock === undefined ? undefined : readLock(lock);
  const shipped = wheelhouse === undefined ? undefined : wheelhouseArchive(wheelhouse);
  const parts = {
    lock: read?.inputs ?? [],
    wheel: isWheel(source) ? fileSha256(source) : null,
    wheelhouse: shipped?.sha256 ?? null,
    python: python ?? null,
  };
  return {
    digest: createHash("sha256").update(JSON.stringify(parts)).digest("hex"),
    lockKind: read?.kind ?? "none",
    inputs: read?.inputs ?? [],
    isHashed: read?.isHashed ?? false,
    python,
    wheelhouse: shipped,
  };
}
