import { unwritableCharacter, utf8Length } from "./encodable-text.ts";
import { escapedSpecifiers, unescapedSpecifiers } from "./specifiers.ts";
import { firstWord, quotedWord, WordSyntaxError } from "./words.ts";

/** An environment variable that cannot reach a process as given. Names the variable, never its value. */
export class EnvironmentError extends Error {
  override readonly name = "EnvironmentError";
}

/** The longest `NAME=value` that the kernel passes to a program, in bytes (MAX_ARG_STRLEN without its NUL). */
const longestVariable = 131071;

/** Why a text is no name of an environment variable, or undefined where it is one: `[A-Za-z_][A-Za-z0-9_]*`. */
export function environmentNameProblem(name: string): string | undefined {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return undefined;
  return `environment variable name ${JSON.stringify(name)} is not allowed; write letters, digits and _, beginning with no digit`;
}

/**
 * Why a variable cannot reach a process, or undefined: a bad name, NUL, text that is not valid Unicode, or over 128 KiB.
 * Never holds the value.
 */
export function environmentVariableProblem(name: string, value: string): string | undefined {
  const nameProblem = environmentNameProblem(name);
  if (nameProblem !== undefined) return nameProblem;
  const found = unwritableCharacter(value);
  if (found !== undefined) {
    return `environment variable ${name}: the value holds ${found.what} at index ${found.index}, which systemd refuses; pass such data in a file (LoadCredential=)`;
  }
  const bytes = utf8Length(name) + 1 + utf8Length(value);
  if (bytes > longestVariable) {
    return `environment variable ${name}: NAME=value has ${bytes} bytes; the kernel passes at most ${longestVariable}; pass such data in a file (LoadCredential=)`;
  }
  return undefined;
}

/**
 * One `Environment=` value per variable, such as `"GREETING=good day"`, in the order of the record. Values are literal:
 * `%` is doubled, and systemd does not expand `$` there. Every local user can read them; secrets belong into an
 * environment file or a credential.
 * @throws EnvironmentError
 */
export function encodedEnvironment(variables: Readonly<Record<string, string>>): string[] {
  return Object.entries(variables).map(([name, value]) => {
    const problem = environmentVariableProblem(name, value);
    if (problem !== undefined) throw new EnvironmentError(problem);
    return quotedWord(escapedSpecifiers(`${name}=${value}`));
  });
}

/**
 * The variables that a unit's `Environment=` values set, as systemd reads them: later ones win, an empty value resets,
 * words that are no assignment are ignored, and so is the rest of a value behind an unknown escape or an open quote.
 * `%%` is `%`; specifiers such as `%h` stay as written.
 */
export function decodedEnvironment(values: readonly string[]): Record<string, string> {
  const variables = new Map<string, string>();
  for (const value of values) {
    if (value === "") variables.clear();
    for (const word of readableWords(value)) {
      const text = unescapedSpecifiers(word);
      const equals = text.indexOf("=");
      if (equals < 0 || environmentNameProblem(text.slice(0, equals)) !== undefined) continue;
      variables.set(text.slice(0, equals), text.slice(equals + 1));
    }
  }
  return Object.fromEntries(variables);
}

function readableWords(value: string): readonly string[] {
  const words: string[] = [];
  try {
    let word = firstWord(value, 0, { unknownEscapes: "refuse" });
    while (word !== undefined) {
      words.push(word.text);
      word = firstWord(value, word.next, { unknownEscapes: "refuse" });
    }
  } catch (error) {
    if (!(error instanceof WordSyntaxError)) throw error;
  }
  return words;
}
