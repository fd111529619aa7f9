import { firstWord, WordSyntaxError } from "../words.ts";
import { type Assignment, itemsOf, type LintedUnit } from "./linted-unit.ts";

/** One word of a command line. */
export interface CommandWord {
  /** With quotes and escapes undone; `%` and `$` as written. */
  readonly text: string;
  /** As it stands in the value. */
  readonly raw: string;
  /** Where it stands in the value. */
  readonly start: number;
}

/** One command of an `Exec...=` assignment. */
export interface CommandLine {
  readonly at: Assignment;
  /** Special characters before the path. */
  readonly prefixes: string;
  /** As written, without prefixes. */
  readonly path: string;
  /** Where the first word stands in the value, prefixes included. */
  readonly start: number;
  /** The words behind the path; without argv[0] where the prefix `@` gives one. */
  readonly arguments: readonly CommandWord[];
  /** Last part of the path of what runs in the end: `python3` for `/usr/bin/env X=1 python3`. */
  readonly program: string;
  /** The arguments of that program. */
  readonly programArguments: readonly CommandWord[];
  /** Path of that program. */
  readonly programPath: string;
}

/** The directives of a service that hold command lines, in the order in which they run. */
export const execDirectives = [
  "ExecCondition",
  "ExecStartPre",
  "ExecStart",
  "ExecStartPost",
  "ExecReload",
  "ExecStop",
  "ExecStopPost",
] as const;

const cache = new WeakMap<LintedUnit, Map<string, readonly CommandLine[]>>();
const wholeCache = new WeakMap<LintedUnit, readonly CommandLine[]>();

/** The commands of an `Exec...=` directive of a service that count; none of an assignment that systemd cannot read. */
export function commandsOf(unit: LintedUnit, directive: (typeof execDirectives)[number]): readonly CommandLine[] {
  const known = cache.get(unit) ?? new Map<string, readonly CommandLine[]>();
  cache.set(unit, known);
  const before = known.get(directive);
  if (before !== undefined) return before;
  const commands = itemsOf(unit, `Service.${directive}`).flatMap(commandLinesIn);
  known.set(directive, commands);
  return commands;
}

/** All commands of a service. */
export function allCommandsOf(unit: LintedUnit): readonly CommandLine[] {
  const known = wholeCache.get(unit);
  if (known !== undefined) return known;
  const commands = execDirectives.flatMap((directive) => commandsOf(unit, directive));
  wholeCache.set(unit, commands);
  return commands;
}

const shells: ReadonlySet<string> = new Set(["sh", "bash", "dash", "zsh", "ksh", "ash", "fish", "busybox"]);

/** The script of a command that runs a shell with `-c`, or undefined. */
export function shellScriptOf(command: CommandLine): CommandWord | undefined {
  if (!isShell(command.program)) return undefined;
  const option = command.programArguments.findIndex(({ text }) => /^-[a-z]*c$/.test(text));
  return option < 0 ? undefined : command.programArguments[option + 1];
}

/** Whether a program of that name is a shell. */
export function isShell(program: string): boolean {
  return shells.has(program);
}

/** Whether a shell is the program of a command or among its arguments, as in `sudo bash -c "..."`. */
export function startsShell(command: CommandLine): boolean {
  const names = [command.program, ...command.arguments.map(({ text }) => text.slice(text.lastIndexOf("/") + 1))];
  return names.some(isShell);
}

/** Whether the sandbox and `User=` of the unit hold for a command: not with the prefix `+`. */
export function isConfined({ prefixes }: CommandLine): boolean {
  return !prefixes.includes("+");
}

function commandLinesIn(at: Assignment): CommandLine[] {
  const commands: CommandLine[] = [];
  try {
    let current: CommandWord[] = [];
    for (let word = firstWord(at.value, 0); word !== undefined; word = firstWord(at.value, word.next)) {
      const raw = at.value.slice(word.start, word.next).trimEnd();
      if (raw === ";") {
        if (current.length > 0) commands.push(commandLine(at, current));
        current = [];
      } else current.push({ text: raw === "\\;" ? ";" : word.text, raw, start: word.start });
    }
    if (current.length > 0) commands.push(commandLine(at, current));
  } catch (error) {
    if (!(error instanceof WordSyntaxError)) throw error;
  }
  return commands;
}

function commandLine(at: Assignment, words: readonly CommandWord[]): CommandLine {
  const [first, ...rest] = words;
  const text = first?.text ?? "";
  const prefixes = /^[@\-:+!]*/.exec(text)?.[0] ?? "";
  const path = text.slice(prefixes.length);
  const given = prefixes.includes("@") ? rest.slice(1) : rest;
  const inner = unwrapped(path, given);
  const program = inner.path.slice(inner.path.lastIndexOf("/") + 1);
  return {
    at,
    prefixes,
    path,
    start: first?.start ?? 0,
    arguments: given,
    program,
    programArguments: inner.rest,
    programPath: inner.path,
  };
}

/** Looks through `env`, `nice` and their kind at what they start. */
function unwrapped(
  path: string,
  words: readonly CommandWord[],
): { readonly path: string; readonly rest: readonly CommandWord[] } {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (!["env", "nice", "ionice", "nohup", "setsid", "stdbuf", "time"].includes(name)) return { path, rest: words };
  const next = words.findIndex(({ text }) => !text.startsWith("-") && !/^\w+=/.test(text) && !/^\d+$/.test(text));
  const program = words[next];
  return program === undefined ? { path, rest: words } : unwrapped(program.text, words.slice(next + 1));
}
