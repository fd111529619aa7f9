import { unwritableCharacter } from "./encodable-text.ts";
import { escapedSpecifiers, specifierProblem, unescapedSpecifiers } from "./specifiers.ts";
import { firstWord, quotedWord, WordSyntaxError } from "./words.ts";

/** One command of an `Exec...=` directive (systemd.service(5), "Command lines"). */
export interface ExecCommand {
  /** The special characters before the path, in the order in which they were written: of `@ - : + ! !!`. */
  readonly prefixes: string;
  /** Absolute path, or a plain name that systemd looks up in its own fixed path. */
  readonly path: string;
  /** What follows the path. With the prefix `@` the first one is the process's argv[0]. */
  readonly arguments: readonly string[];
}

/** How a command line is written. */
export interface ExecEncoding {
  /** Special characters before the path, such as `-` or `+`. @default "" */
  readonly prefixes?: string;
  /**
   * False: systemd starts exactly these arguments. True: `%h`, `${PORT}` and `$ARGS` are left for systemd to expand;
   * whoever writes them doubles a `%` or `$` that is meant literally.
   * @default false
   */
  readonly expand?: boolean;
}

/** A command that systemd would refuse, or that would not run as written. */
export class ExecCommandError extends Error {
  override readonly name = "ExecCommandError";
}

const prefixCharacters = "@-:+!";

/**
 * The value of an `Exec...=` directive that starts this argument vector. The first item is the executable; with the
 * prefix `@` the second is argv[0]. Quotes stand only where a word needs them.
 * @throws ExecCommandError for an empty vector, an executable that systemd refuses, contradicting prefixes, NUL and
 * other characters that no unit file can hold. Arguments are named by their index and not echoed.
 */
export function encodedExecCommand(argv: readonly string[], options: ExecEncoding = {}): string {
  const { prefixes = "", expand = false } = options;
  const [path, ...rest] = argv;
  if (path === undefined)
    throw new ExecCommandError('the command is empty; write at least the executable, as ["/usr/bin/true"]');
  const problem = execPrefixProblem(prefixes) ?? execPathProblem(path, { expand });
  if (problem !== undefined) throw new ExecCommandError(problem);
  if (prefixes.includes("@") && (rest[0] ?? "") === "") {
    throw new ExecCommandError('the prefix "@" needs a second item, the argv[0] that the process shall see');
  }
  const expandsVariables = !prefixes.includes(":");
  const words = rest.map((argument, index) => encodedArgument(argument, index + 1, { expand, expandsVariables }));
  return [`${prefixes}${quotedWord(expand ? path : escapedSpecifiers(path))}`, ...words].join(" ");
}

/**
 * The commands of one `Exec...=` value: none for the empty (resetting) value, several where a lone `;` separates them.
 * Quotes and escapes are undone. With `expand` false, `%%` is `%` and, outside of `:` commands, `$$` is `$`; what
 * systemd would expand (`%h`, `${PORT}`) stays as written and cannot be told from literal text. With `expand` true both
 * stay as written. Each is the inverse of `encodedExecCommand` with the same `expand`.
 * @throws ExecCommandError where systemd refuses the unit or ignores the line because of its syntax: an open quote, no
 * executable.
 */
export function decodedExecCommands(value: string, options: Pick<ExecEncoding, "expand"> = {}): ExecCommand[] {
  const commands: ExecCommand[] = [];
  let rest: number | undefined = 0;
  try {
    while (rest !== undefined) {
      const first = firstWord(value, rest);
      if (first === undefined) return commands;
      if (first.text === ";") {
        rest = first.next;
        continue;
      }
      const words: { readonly list: readonly string[]; readonly next: number | undefined } = argumentWords(
        value,
        first.next,
      );
      commands.push(decodedCommand(first.text, words.list, options.expand ?? false));
      rest = words.next;
    }
  } catch (error) {
    if (error instanceof WordSyntaxError)
      throw new ExecCommandError(`the command line cannot be read: ${error.message}`);
    throw error;
  }
  return commands;
}

/**
 * Why systemd refuses these characters before a path, or undefined. `+`, `!` and `!!` exclude each other; `|` (run by a
 * shell) is newer than 257.
 */
export function execPrefixProblem(prefixes: string): string | undefined {
  if (splitPrefixes(prefixes).path === "") return undefined;
  return `prefixes ${JSON.stringify(prefixes)}: each of @ - : and one of + ! !! may stand there once`;
}

/**
 * Why systemd refuses this executable, or undefined: it must be an absolute path or a plain name, without quotes,
 * backslashes and control characters, even where those are escaped.
 */
export function execPathProblem(path: string, options: Pick<ExecEncoding, "expand"> = {}): string | undefined {
  const received = `executable ${JSON.stringify(path)}`;
  if (path === "") return 'the executable is empty; write an absolute path such as "/usr/bin/python3"';
  const found = unwritableCharacter(path);
  if (found !== undefined) return `${received} holds ${found.what}`;
  if ([...path].some((character) => character < " " || "\"'\\\u007f".includes(character))) {
    return `${received} holds a quote, a backslash or a control character, which systemd refuses in an executable; rename it, or start it through /bin/sh -c`;
  }
  if (path.endsWith("/")) return `${received} is a directory; write the path of a file`;
  const beginsExpanded = options.expand === true && /^%[A-Za-z]/.test(path);
  if (options.expand === true) {
    const problem = specifierProblem(path);
    if (problem !== undefined) return `${received}: ${problem}`;
  }
  if (path.startsWith("/") || beginsExpanded) return undefined;
  if (path.includes("/")) {
    return `${received} is a relative path; write an absolute path, or a plain name that systemd finds in /usr/bin and the like`;
  }
  if (path === "." || path === "..") return `${received} is a directory; write the path of a file`;
  if (`${prefixCharacters}|$;`.includes(path.charAt(0))) {
    return `${received} begins with ${path.charAt(0)}, which has a meaning of its own there; write the absolute path, and special characters as prefixes`;
  }
  return undefined;
}

function encodedArgument(
  argument: string,
  index: number,
  { expand, expandsVariables }: { readonly expand: boolean; readonly expandsVariables: boolean },
): string {
  const found = unwritableCharacter(argument);
  if (found !== undefined) {
    throw new ExecCommandError(`argument ${index} holds ${found.what} at index ${found.index}, which systemd refuses`);
  }
  if (!expand) {
    const literal = escapedSpecifiers(argument);
    return quotedWord(expandsVariables ? literal.replaceAll("$", "$$$$") : literal);
  }
  const problem = specifierProblem(argument);
  if (problem !== undefined) throw new ExecCommandError(`argument ${index}: ${problem}`);
  return quotedWord(argument);
}

/** The words up to a lone `;`, and where the next command begins. */
function argumentWords(value: string, from: number): { readonly list: string[]; readonly next: number | undefined } {
  const list: string[] = [];
  let word = firstWord(value, from);
  while (word !== undefined) {
    const raw = rawWord(value, word.start);
    if (raw === ";") return { list, next: word.next };
    list.push(raw === "\\;" ? ";" : word.text);
    word = firstWord(value, word.next);
  }
  return { list, next: undefined };
}

function rawWord(value: string, start: number): string {
  return /^\\?;(?=[ \t\n\r]|$)/.exec(value.slice(start, start + 3))?.[0] ?? "";
}

function decodedCommand(first: string, words: readonly string[], expand: boolean): ExecCommand {
  const { prefixes, path } = splitPrefixes(first);
  if (path === "") throw new ExecCommandError(`the command line has no executable behind ${JSON.stringify(prefixes)}`);
  if (prefixes.includes("@") && words.length === 0) {
    throw new ExecCommandError('the prefix "@" needs a second word, the argv[0] that the process shall see');
  }
  if (expand) return { prefixes, path, arguments: words };
  const expandsVariables = !prefixes.includes(":");
  return {
    prefixes,
    path: unescapedSpecifiers(path),
    arguments: words.map((word) => {
      const text = unescapedSpecifiers(word);
      return expandsVariables && !/^\$[^{$]/.test(text) ? text.replaceAll("$$", "$$") : text;
    }),
  };
}

/** Takes the special characters off the front, as systemd does: each once, and only one of `+`, `!`, `!!`. */
function splitPrefixes(first: string): { readonly prefixes: string; readonly path: string } {
  let length = 0;
  const taken = new Set<string>();
  for (const character of first) {
    const isPrivilege = character === "+" || character === "!";
    const isSecondMark = character === "!" && taken.has("!") && !taken.has("!!") && !taken.has("+");
    const isFree = isPrivilege ? !taken.has("+") && !taken.has("!") : !taken.has(character);
    if (!prefixCharacters.includes(character) || !(isFree || isSecondMark)) break;
    taken.add(isSecondMark ? "!!" : character);
    length += 1;
  }
  return { prefixes: first.slice(0, length), path: first.slice(length) };
}
