import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { type Archive, cachedArchive } from "./release/archive-cache.ts";
import { ReleaseError } from "./release/error.ts";
import { ignoreRules } from "./release/ignore-rules.ts";
import { sourceTree } from "./release/source-tree.ts";
import { type ReleaseMember, writeTar } from "./release/tar-writer.ts";
import { isArchiveName, unpackArchive } from "./release/unpacked-archive.ts";

export type { Archive } from "./release/archive-cache.ts";
export { ReleaseError } from "./release/error.ts";

/** Where a service's releases and environments lie on the host; `current` below it points to the release that runs. */
export function releaseRoot(name: string): string {
  return `/opt/${name}`;
}

/** Name of a release's directory: 16 hex digits that stand for its code and, where it has one, for its environment. */
export function releaseId(archive: string, environment: string | undefined): string {
  if (environment === undefined) return archive.slice(0, 16);
  return createHash("sha256").update(`${archive}\n${environment}`).digest("hex").slice(0, 16);
}

/** Whether a source is a wheel, which is installed into the environment of its release. */
export function isWheel(source: string): boolean {
  return /\.whl$/.test(source);
}

/**
 * Packs a source into one uncompressed tar, the same bytes for the same files on any machine: sorted names, no owner, no
 * times, modes 0644 or 0755. A directory leaves out what `.gitignore` files and the defaults say; an archive (`.tar`,
 * `.tar.gz`, `.zip`) is taken as it is; a wheel is shipped whole.
 * @param ignored patterns of gitignore(5) relative to a directory, which have the last word
 * @throws ReleaseError when there is no such source, nothing to ship, or something that must not be shipped
 */
export function releaseArchive(source: string, ignored: readonly string[] = []): Archive {
  const kind = statSync(source, { throwIfNoEntry: false });
  const shown = JSON.stringify(source);
  const accepted = "give a directory of source code, a .tar, .tar.gz or .zip of one, or a wheel";
  if (kind === undefined) throw new ReleaseError(`${shown} does not exist; ${accepted}`);
  if (!kind.isDirectory() && !(kind.isFile() && (isWheel(source) || isArchiveName(source)))) {
    throw new ReleaseError(`${shown} is no source of a release; ${accepted}`);
  }
  if (!kind.isDirectory() && ignored.length > 0) {
    throw new ReleaseError(`${shown} is no directory, so nothing of it can be ignored; leave the patterns out`);
  }
  return cachedArchive((file, folder) => {
    if (isWheel(source)) return writeTar(file, [wheelMember(source)]);
    const members = kind.isDirectory()
      ? sourceTree(resolve(source), ignoreRules(resolve(source), ignored))
      : unpackedTree(source, join(folder, "unpacked"));
    if (!members.some((member) => member.kind !== "directory")) {
      throw new ReleaseError(
        `${shown} holds nothing to ship${kind.isDirectory() ? " (see its .gitignore files)" : ""}`,
      );
    }
    const taken = members.find((member) => member.path === ".venv");
    if (taken !== undefined) {
      throw new ReleaseError(`${shown} holds .venv, where the release has its own environment; leave it out`);
    }
    return writeTar(file, members);
  });
}

/**
 * Packs the wheels of a directory, so that a host without internet can install from them.
 * @throws ReleaseError when there is no such directory, or no wheel in it
 */
export function wheelhouseArchive(directory: string): Archive {
  const shown = JSON.stringify(directory);
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    throw new ReleaseError(`${shown} is no directory; give one with the wheels to ship, as \`pip download\` makes it`);
  }
  const wheels = readdirSync(directory)
    .filter(isWheel)
    .sort()
    .map((name) => wheelMember(join(directory, name)));
  if (wheels.length === 0) throw new ReleaseError(`${shown} holds no wheel (*.whl)`);
  return cachedArchive((file) => writeTar(file, wheels));
}

/** SHA-256 of a file's content, in hex. */
export function fileSha256(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

function wheelMember(file: string): ReleaseMember {
  return { kind: "file", path: basename(file), isExecutable: false, size: statSync(file).size, file };
}

function unpackedTree(file: string, folder: string): ReleaseMember[] {
  mkdirSync(folder);
  unpackArchive(file, folder);
  return sourceTree(folder, undefined);
}
