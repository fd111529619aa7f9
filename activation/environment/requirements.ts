import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { ReleaseError } from "../release/error.ts";
import type { LockInput } from "./lock-input.ts";

const include = /^(?:-r|--requirement|-c|--constraint)(?:\s+|=)(\S.*)$/;
const location = /^(?:(?:-i|--index-url|--extra-index-url|-f|--find-links|--trusted-host|--no-index|--pre)\b)/;
const editable = /^(?:-e|--editable)\b/;
const localPath = /^(?:\.{0,2}\/|\.\.?$|file:|[A-Za-z0-9._-]+(?:\[[^\]]*\])?\s*@\s*(?:file:|\.{0,2}\/))/;
const credentials = /:\/\/[^/\s@]+@/;

/**
 * A `requirements.txt` with every file that it includes, as the host's installer reads them.
 * @param file its path on this machine
 * @throws ReleaseError naming file and line, when a line does not lock what is installed or when a file is missing
 */
export function requirementsInputs(file: string): LockInput[] {
  const top = dirname(file);
  const found = new Map<string, string>();
  const read = (path: string, from: string) => {
    const name = relative(top, path).split(sep).join("/");
    if (found.has(name)) return;
    if (name.startsWith("..")) {
      throw new ReleaseError(
        `${from} includes ${path}, which lies above ${top}; keep included files beside or below it`,
      );
    }
    if (!existsSync(path)) throw new ReleaseError(`${from} includes ${path}, which does not exist`);
    const text = readFileSync(path, "utf8");
    found.set(name, text);
    for (const [index, line] of logicalLines(text).entries()) {
      const where = `${path}, requirement ${index + 1} (${shownLine(line)})`;
      const included = include.exec(line)?.[1];
      if (included !== undefined) read(join(dirname(path), included.trim()), where);
      else refuseUnlocked(line, where);
    }
  };
  read(file, "requirements");
  return [...found].map(([path, content]) => ({ path, content }));
}

function refuseUnlocked(line: string, where: string): void {
  if (credentials.test(line)) {
    throw new ReleaseError(`${where} holds a password or token; give it to \`packageIndex\`, which keeps it secret`);
  }
  if (location.test(line)) {
    throw new ReleaseError(`${where} says where packages come from; give that to \`packageIndex\` or \`wheelhouse\``);
  }
  if (editable.test(line) || localPath.test(line)) {
    throw new ReleaseError(
      `${where} installs from a path, which does not exist on the host; build a wheel of it and put it into \`wheelhouse\``,
    );
  }
}

/** The requirements of a file, one line each: without comments, and with continuation lines joined. */
function logicalLines(text: string): string[] {
  return text
    .replace(/\\\r?\n/g, " ")
    .split(/\r?\n/)
    .map((line) => line.replace(/(^|\s)#.*$/, "").trim())
    .filter((line) => line !== "");
}

function shownLine(line: string): string {
  return line.replace(credentials, "://[secret]@").slice(0, 60);
}
