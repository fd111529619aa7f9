import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { parseUnitFileWithNotes } from "../systemd/unit-file.ts";

/** A mistake of the person at the keyboard: its message is all that is printed. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** A unit file as it was read from disk. */
export interface UnitSource extends ReturnType<typeof parseUnitFileWithNotes> {
  /** Path as it was given. */
  readonly path: string;
  /** File name, which is the unit's name. */
  readonly name: string;
  readonly text: string;
}

/**
 * The text of a file.
 * @throws UsageError naming the file when it cannot be read
 */
export function fileText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
  }
}

/**
 * Reads and parses a unit file.
 * @throws UsageError naming the file when it cannot be read or is no unit file
 */
export function unitSource(path: string): UnitSource {
  const text = fileText(path);
  try {
    return { path, name: basename(path), text, ...parseUnitFileWithNotes(text) };
  } catch (error) {
    throw new UsageError(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
