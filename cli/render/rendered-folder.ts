import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { UsageError } from "../unit-source.ts";

/** What `render` says of its own folder, so that it never takes a file that it did not write. */
const note = "README.md";
const noteText =
  "What `pulumi-systemd render` wrote: the files of each host of a stack, without secrets. Do not edit: render it again.\n";

/** How a folder differs from what would be written into it. */
export interface FolderDifference {
  readonly kind: "missing" | "changed" | "left over";
  readonly path: string;
}

/**
 * How a folder differs from a tree of files.
 * @throws UsageError when it holds something and was not written by `render`
 */
export function folderDifferences(folder: string, files: ReadonlyMap<string, string>): FolderDifference[] {
  const there = existingFiles(folder);
  const wanted = new Map([[note, noteText], ...files]);
  return [
    ...[...wanted].flatMap(([path, content]): FolderDifference[] => {
      if (!there.includes(path)) return [{ kind: "missing", path }];
      return readFileSync(join(folder, path), "utf8") === content ? [] : [{ kind: "changed", path }];
    }),
    ...there.filter((path) => !wanted.has(path)).map((path): FolderDifference => ({ kind: "left over", path })),
  ];
}

/**
 * Makes a folder hold exactly a tree of files, of which it writes only what differs.
 * @throws UsageError when it holds something and was not written by `render`
 */
export function writeFolder(folder: string, files: ReadonlyMap<string, string>): FolderDifference[] {
  const differences = folderDifferences(folder, files);
  for (const { kind, path } of differences) {
    const file = join(folder, path);
    if (kind === "left over") {
      rmSync(file);
      removeEmptyFolders(folder, dirname(path));
    } else {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, path === note ? noteText : (files.get(path) ?? ""));
    }
  }
  return differences;
}

function existingFiles(folder: string): string[] {
  let entries: { path: string; isFile: boolean }[];
  try {
    entries = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => ({
        path: join(entry.parentPath, entry.name).slice(join(folder, "/").length),
        isFile: entry.isFile(),
      }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new UsageError(`${folder} is no folder that can be read; give another with --out`);
  }
  const isOurs = entries.some(({ path }) => path === note) && readFileSync(join(folder, note), "utf8") === noteText;
  const foreign = entries.find(({ isFile }) => !isFile);
  if (entries.length > 0 && (!isOurs || foreign !== undefined)) {
    const what =
      foreign === undefined ? "files that `render` did not write" : `${foreign.path}, which is no plain file`;
    throw new UsageError(`${folder} holds ${what}; nothing was changed; give an empty folder with --out`);
  }
  return entries.map(({ path }) => path).sort();
}

function removeEmptyFolders(top: string, path: string): void {
  for (let folder = path; folder !== "."; folder = dirname(folder)) {
    if (readdirSync(join(top, folder)).length > 0) return;
    rmdirSync(join(top, folder));
  }
}
