import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { parseUnitFileWithNotes, UnitSyntaxError } from "../systemd/unit-file.ts";
import { unitText } from "../systemd/unit-text.ts";

/** A mistake of the person at the keyboard: its message is all that is printed. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The path that stands for standard input. */
export const standardInput = "-";

/** The name of the unit that comes from standard input, where none is given. */
export const nameOfInput = "stdin.service";

/** Larger files are no unit files; systemd itself refuses lines of 1 MiB. */
const largestFile = 64 * 1024 * 1024;

/** A unit file as it was read from disk. */
export interface UnitSource extends ReturnType<typeof parseUnitFileWithNotes> {
  /** Path as it was given. */
  readonly path: string;
  /** File name, which is the unit's name. */
  readonly name: string;
}

/**
 * The text of a file, or of standard input.
 * @throws UsageError naming the file when it cannot be read
 * @throws UnitSyntaxError when it is no text
 */
export function fileText(path: string): string {
  return unitText(fileBytes(path));
}

function fileBytes(path: string): Uint8Array {
  try {
    if (path === standardInput) return readFileSync(0);
    const { size } = statSync(path);
    if (size > largestFile)
      throw new UsageError(`${path}: is no unit file, it has ${Math.round(size / 1024 ** 2)} MiB`);
    return readFileSync(path);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${path}: cannot be read: ${reasonOf(error)}`);
  }
}

/** Why the system refuses a file, in words. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const known: Readonly<Record<string, string>> = {
    ENOENT: "there is no such file",
    EISDIR: "it is a directory; name the files in it",
    EACCES: "permission denied",
    ENOTDIR: "a part of its path is no directory",
    ELOOP: "its links go in a circle",
    ENAMETOOLONG: "the name is too long",
    EAGAIN: "nothing is on standard input",
  };
  return known[code] ?? (code === "" ? String(error) : code);
}

/**
 * Reads and parses a unit file.
 * @param name of the unit, for what comes from standard input
 * @throws UsageError naming the file when it cannot be read or is no unit file
 */
export function unitSource(path: string, name = nameOfInput): UnitSource {
  try {
    return { path, name: path === standardInput ? name : basename(path), ...parseUnitFileWithNotes(fileText(path)) };
  } catch (error) {
    if (error instanceof UnitSyntaxError) throw new UsageError(`${path}: ${error.message}`);
    throw error;
  }
}
