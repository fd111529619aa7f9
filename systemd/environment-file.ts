import { unwritableCharacter } from "./encodable-text.ts";
import { EnvironmentError, environmentNameProblem, environmentVariableProblem } from "./environment.ts";
import { environmentStatements } from "./environment-statements.ts";

/** A line of an environment file that does not say what it seems to say. Never holds a value. */
export interface EnvironmentFileNote {
  /** Number of the line, from 1. */
  readonly line: number;
  readonly message: string;
}

/** What systemd reads in an environment file. */
export interface EnvironmentFile {
  readonly variables: Record<string, string>;
  /** Lines that systemd ignores or reads in a surprising way. */
  readonly notes: readonly EnvironmentFileNote[];
}

/**
 * The text of an `EnvironmentFile=` that sets exactly these variables, in the order of the record. Every value stands in
 * double quotes, so line breaks, blanks and `#` stay as they are. systemd expands neither `$` nor `%` in it.
 * @throws EnvironmentError for what such a file cannot hold; the message never holds a value.
 */
export function encodedEnvironmentFile(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => {
      const problem = environmentVariableProblem(name, value);
      if (problem !== undefined) throw new EnvironmentError(problem);
      return `${name}="${value.replace(/["\\`$]/g, "\\$&")}"\n`;
    })
    .join("");
}

/**
 * The variables of an `EnvironmentFile=` as systemd reads it: no expansion, later ones win, lines that are no assignment
 * are ignored.
 * @throws EnvironmentError for a file that systemd refuses as a whole (NUL, invalid Unicode), and for a byte order mark
 * at its beginning, which hides the first variable. The message never holds a value.
 */
export function decodedEnvironmentFile(text: string): Record<string, string> {
  return parseEnvironmentFile(text).variables;
}

/** `decodedEnvironmentFile` with notes on the lines that do not say what they seem to say. */
export function parseEnvironmentFile(text: string): EnvironmentFile {
  const found = unwritableCharacter(text);
  if (found !== undefined) {
    throw new EnvironmentError(
      `line ${lineCounter(text)(found.index)}: the file holds ${found.what}; systemd refuses the whole file`,
    );
  }
  if (text.startsWith("\uFEFF")) {
    throw new EnvironmentError(
      "line 1: the file begins with a byte order mark, which hides its first variable; save it without",
    );
  }
  const variables = new Map<string, string>();
  const notes: EnvironmentFileNote[] = [];
  const lineAt = lineCounter(text);
  for (const { start, key, value, problem } of environmentStatements(text)) {
    const isNamed = key !== undefined && environmentNameProblem(key) === undefined;
    if (isNamed) variables.set(key, value);
    const message = problem ?? (isNamed ? environmentVariableProblem(key, value) : ignoredName(key));
    if (message !== undefined) notes.push({ line: lineAt(start), message });
  }
  return { variables: Object.fromEntries(variables), notes };
}

/** The name is not echoed: in a file with a broken quote it can be a piece of a secret. */
function ignoredName(key: string | undefined): string {
  if (key === undefined) return "has no =; systemd ignores the line";
  if (/^export[ \t]/.test(key)) return "begins with export, which systemd does not know; it ignores the line";
  return "has no valid name before the = (letters, digits and _, beginning with no digit); systemd ignores the line";
}

/** Gives the number of the line at an index, from 1; to be asked in ascending order. */
function lineCounter(text: string): (index: number) => number {
  let line = 1;
  let counted = 0;
  return (index) => {
    line += text.slice(counted, index).match(/\r\n|\r|\n/g)?.length ?? 0;
    counted = index;
    return line;
  };
}
