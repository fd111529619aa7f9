import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { create } from "tar";
import { sha256 } from "./digests.ts";

/** Names that never belong to a release: version control, caches, environments that are built on the host. */
export const ignoredNames: ReadonlySet<string> = new Set([
  ".git",
  ".hg",
  ".svn",
  ".venv",
  "venv",
  "__pycache__",
  ".mypy_cache",
  ".pytest_cache",
  ".ruff_cache",
  ".tox",
  "node_modules",
  ".DS_Store",
]);

/** One archive of a source tree, ready to be copied to a host. */
export interface ReleaseArchive {
  /** SHA-256 of the archive's bytes: the name of the release. */
  readonly sha256: string;
  /** Where the archive lies on this machine, in the user's cache. */
  readonly path: string;
}

/** A source tree that cannot become a release. The message names the directory and says why. */
export class ReleaseError extends Error {
  override readonly name = "ReleaseError";
}

/** Where a service's releases lie on the host; `current` below it points to the one that runs. */
export function releaseRoot(name: string): string {
  return `/opt/${name}`;
}

/**
 * Packs a directory into one uncompressed tar, the same bytes for the same files on any machine: sorted names, no owner, no
 * times, modes 0644 or 0755. Version control, caches and virtual environments are left out.
 * @throws ReleaseError when the directory is missing, is no directory, or has nothing to ship
 */
export function releaseArchive(directory: string): ReleaseArchive {
  const kind = statSync(directory, { throwIfNoEntry: false });
  if (kind === undefined) {
    throw new ReleaseError(
      `the directory ${JSON.stringify(directory)} does not exist; give a directory of source code`,
    );
  }
  if (!kind.isDirectory()) {
    throw new ReleaseError(`${JSON.stringify(directory)} is not a directory; give a directory of source code`);
  }
  const shipped = shippedPaths(directory);
  if (shipped.length === 0) {
    throw new ReleaseError(`the directory ${JSON.stringify(directory)} holds nothing to ship`);
  }
  const folder = releaseCache();
  const draft = mkdtempSync(join(folder, "draft-"));
  try {
    const file = join(draft, "release.tar");
    create(
      {
        file,
        cwd: directory,
        sync: true,
        portable: true,
        noDirRecurse: true,
        mtime: new Date(0),
        onWriteEntry: (entry) => {
          if (entry.stat === undefined) return;
          const executable = entry.stat.isDirectory() || (entry.stat.mode & 0o100) !== 0;
          entry.stat.mode = (entry.stat.mode & ~0o7777) | (executable ? 0o755 : 0o644);
        },
      },
      shipped,
    );
    const digest = sha256(readFileSync(file));
    const path = join(folder, `${digest}.tar`);
    if (!existsSync(path)) renameSync(file, path);
    return { sha256: digest, path };
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

function shippedPaths(directory: string, below = ""): string[] {
  return readdirSync(join(directory, below), { withFileTypes: true })
    .filter((entry) => !ignoredNames.has(entry.name) && !entry.name.endsWith(".pyc"))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      return entry.isDirectory() ? [path, ...shippedPaths(directory, path)] : [path];
    });
}

function releaseCache(): string {
  const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "pulumi-systemd", "releases");
  mkdirSync(folder, { recursive: true });
  return folder;
}
