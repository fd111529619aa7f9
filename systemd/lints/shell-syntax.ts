import {
  allCommandsOf,
  type CommandLine,
  type CommandWord,
  isShell,
  shellScriptOf,
  startsShell,
} from "./command-line.ts";
import type { Lint, LintHit } from "./lint.ts";

const operator = /^(\|\|?|\|&|&&?|[0-9]*>>?|<<?<?|&>>?|[0-9]*>>?&[0-9-]?|[0-9]*>&[0-9-]|[0-9]*&?>>?[&/].*|<\/.*)$/;

/** What only a shell understands. systemd starts programs without one. */
export const shellSyntaxLints: readonly Lint[] = [
  {
    id: "shell-syntax",
    severity: "error",
    why: "systemd starts the program itself, without a shell: |, &&, > and & are passed to it as arguments.",
    fix: 'Write ExecStart=/bin/sh -c "..." with the whole script in quotes, or use several ExecStartPre= and StandardOutput=append:FILE.',
    hits: (unit) =>
      allCommandsOf(unit).flatMap((command): LintHit[] => {
        const inner = command.arguments.find(({ raw }) => operator.test(raw)) ?? separatorIn(command);
        if (inner === undefined) return [];
        const text = operator.test(inner.raw) ? inner.raw.replace(/[&/].+$/, "") || inner.raw : ";";
        const message =
          text === ";"
            ? `${command.at.key}: a ";" separates commands only as a word of its own; here it is part of an argument`
            : `${command.at.key}: ${JSON.stringify(text)} is an argument of ${command.path}, no shell looks at it`;
        return [mark(command, inner, message)];
      }),
  },
  {
    id: "command-substitution",
    severity: "error",
    why: "systemd knows no $(...) and no `...`: the program gets them as text.",
    fix: 'Write ExecStart=/bin/sh -c "..." with the whole script in quotes, or compute the value in the program.',
    hits: (unit) =>
      allCommandsOf(unit).flatMap((command): LintHit[] => {
        if (startsShell(command)) return [];
        const found = command.arguments.find(({ text }) => /(^|[^$])\$\(|`[^`]+`/.test(text));
        if (found === undefined) return [];
        const isQuoted = found.raw !== found.text || found.raw.includes('"');
        const message = `${command.at.key}: the command substitution is an argument of ${command.path}, no shell looks at it`;
        return [{ ...mark(command, found, message), severity: isQuoted ? "warning" : "error" }];
      }),
  },
  {
    id: "shell-script-not-quoted",
    severity: "warning",
    why: "A shell takes the one word behind -c as its script; the words after it become $0, $1 and so on.",
    fix: "Put the whole script in quotes.",
    hits: (unit) =>
      allCommandsOf(unit).flatMap((command): LintHit[] => {
        const script = shellScriptOf(command);
        if (script === undefined || script.raw !== script.text || /[\s$]/.test(script.text)) return [];
        const next = command.arguments.find(({ start }) => start > script.start);
        if (next === undefined) return [];
        const message = `${command.at.key}: the shell runs only the word behind "-c"; the words after that are no part of the script`;
        return [mark(command, next, message)];
      }),
  },
  {
    id: "tilde-not-expanded",
    severity: "warning",
    why: "Only a shell knows ~; the program gets the character.",
    fix: "Write the path itself.",
    hits: (unit) =>
      allCommandsOf(unit).flatMap((command): LintHit[] => {
        if (isShell(command.program)) return [];
        const found = command.arguments.find(({ text }) => /(^|=)~[a-z0-9_-]*\//.test(text));
        return found === undefined
          ? []
          : [mark(command, found, `${command.at.key}: ~ in an argument of ${command.path} is not expanded`)];
      }),
  },
  {
    id: "glob-not-expanded",
    severity: "info",
    why: "Only a shell expands * and ?; the program gets the pattern.",
    fix: 'Write ExecStart=/bin/sh -c "..." where the program does not expand patterns itself.',
    hits: (unit) =>
      allCommandsOf(unit).flatMap((command): LintHit[] => {
        if (isShell(command.program) || /^(find|logrotate|rsync|tar|grep|locate|udevadm)$/.test(command.program))
          return [];
        const found = command.arguments.find(({ raw }) => /^\/[^\s"']*[*?]/.test(raw) && !raw.includes("://"));
        return found === undefined
          ? []
          : [mark(command, found, `${command.at.key}: ${command.path} gets the pattern as it is`)];
      }),
  },
];

/** A word that ends in `;`, which a shell would take for the end of a command. */
function separatorIn(command: CommandLine): CommandWord | undefined {
  if (isShell(command.program) || ["find", "awk", "sed"].includes(command.program)) return undefined;
  if (/[^;];$/.test(command.path))
    return { text: command.path, raw: `${command.prefixes}${command.path}`, start: command.start };
  const index = command.arguments.findIndex(({ raw }) => /[^\\"';];$/.test(raw));
  const next = command.arguments[index + 1]?.text ?? "";
  return index >= 0 && /^(\/|[a-z]+$)/.test(next) ? command.arguments[index] : undefined;
}

function mark(command: CommandLine, word: CommandWord, message: string): LintHit {
  return { at: command.at, mark: { start: word.start, end: word.start + word.raw.length }, message };
}
