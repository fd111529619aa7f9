import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const unusedDays = 14;

/** One archive, ready to be copied to a host. */
export interface Archive {
  /** SHA-256 of the archive's bytes, hex. */
  readonly sha256: string;
  /** Where the archive lies on this machine, in the user's cache. */
  readonly path: string;
}

/**
 * Has `write` make an archive, and keeps it in the user's cache under its digest. What nobody asked for in two weeks is
 * removed from there.
 * @param write makes the archive at the first path and may use the folder for drafts; gives its SHA-256
 */
export function cachedArchive(write: (file: string, folder: string) => string): Archive {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "pulumi-systemd", "releases");
  mkdirSync(cache, { recursive: true });
  const draft = mkdtempSync(join(cache, "draft-"));
  try {
    const file = join(draft, "release.tar");
    const sha256 = write(file, draft);
    const path = join(cache, `${sha256}.tar`);
    // The new one, though it is the same: somebody may have changed the one that is there.
    renameSync(file, path);
    removeUnused(cache);
    return { sha256, path };
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

function removeUnused(cache: string): void {
  const oldest = Date.now() - unusedDays * 86_400_000;
  for (const name of readdirSync(cache)) {
    const path = join(cache, name);
    const found = statSync(path, { throwIfNoEntry: false });
    if (found !== undefined && found.mtimeMs < oldest) rmSync(path, { recursive: true, force: true });
  }
}
