import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type AdmZip from "adm-zip";
import { extract, list, type ReadEntry } from "tar";
import { ReleaseError } from "./error.ts";
import { type ListedMember, memberProblem } from "./member-problems.ts";

const tarName = /\.(tar|tar\.gz|tgz)$/i;
const zipName = /\.zip$/i;

/** Whether a file's name says that it is an archive that can be a source. */
export function isArchiveName(file: string): boolean {
  return tarName.test(file) || zipName.test(file);
}

/**
 * Unpacks a `.tar`, `.tar.gz` or `.zip` into an empty folder, after every member was found to be safe.
 * @throws ReleaseError naming the archive, and the member that is not safe
 */
export function unpackArchive(file: string, folder: string): void {
  try {
    if (zipName.test(file)) unpackZip(file, folder);
    else unpackTar(file, folder);
  } catch (error) {
    if (error instanceof ReleaseError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ReleaseError(`${JSON.stringify(file)} cannot be read as an archive: ${reason}`);
  }
}

function unpackTar(file: string, folder: string): void {
  const members: ListedMember[] = [];
  list({ file, sync: true, strict: true, onReadEntry: (entry) => members.push(tarMember(entry)) });
  refuseUnsafe(file, members);
  extract({ file, cwd: folder, sync: true, strict: true, noMtime: true, preserveOwner: false });
}

function tarMember({ path, type, mode, linkpath }: ReadEntry): ListedMember {
  const kinds: Readonly<Record<string, ListedMember["kind"]>> = {
    File: "file",
    OldFile: "file",
    ContiguousFile: "file",
    Directory: "directory",
    GNUDumpDir: "directory",
    SymbolicLink: "link",
    Link: "hard link",
  };
  return { path, kind: kinds[type] ?? "other", mode: mode ?? 0, target: linkpath ?? "" };
}

function unpackZip(file: string, folder: string): void {
  // It takes longer to load than all else of a release, and few sources are a .zip.
  const Zip: typeof AdmZip = createRequire(import.meta.url)("adm-zip");
  const entries = new Zip(file).getEntries().map((entry) => {
    // The upper half is the Unix mode where a Unix program made the archive; its kind is in the highest four bits.
    const unix = entry.header.attr >>> 16;
    const kinds: Readonly<Record<number, ListedMember["kind"]>> = { 0: "file", 8: "file", 4: "directory", 10: "link" };
    const kind = entry.isDirectory ? "directory" : (kinds[unix >>> 12] ?? "other");
    const target = kind === "link" ? entry.getData().toString("utf8") : "";
    const member: ListedMember = { path: entry.rawEntryName.toString("utf8"), kind, mode: unix & 0o7777, target };
    return { entry, member };
  });
  refuseUnsafe(
    file,
    entries.map(({ member }) => member),
  );
  for (const { entry, member } of entries) {
    const path = join(folder, member.path);
    if (member.kind === "directory") {
      mkdirSync(path, { recursive: true });
      continue;
    }
    mkdirSync(dirname(path), { recursive: true });
    if (member.kind !== "file") continue;
    writeFileSync(path, entry.getData(), { flag: "wx" });
    chmodSync(path, (member.mode & 0o100) !== 0 ? 0o755 : 0o644);
  }
  for (const { member } of entries) if (member.kind === "link") symlinkSync(member.target, join(folder, member.path));
}

function refuseUnsafe(file: string, members: readonly ListedMember[]): void {
  const problem = memberProblem(members);
  if (problem !== undefined) throw new ReleaseError(`${JSON.stringify(file)}: ${problem}`);
}
