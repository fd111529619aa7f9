import { allCommandsOf, type CommandLine, commandsOf, shellScriptOf } from "./command-line.ts";
import type { Lint, LintHit } from "./lint.ts";
import { itemsOf, listWordsOf, textOf } from "./linted-unit.ts";
import { isDaemon, isService } from "./service-type.ts";

const builtins: ReadonlySet<string> = new Set([
  "cd",
  "source",
  ".",
  "export",
  "exec",
  "eval",
  "ulimit",
  "set",
  "alias",
  "if",
  "for",
  "while",
]);

const interpreter = /^(python[0-9.]*|pypy[0-9.]*|node|nodejs|ruby|perl|php[0-9.]*|bash|sh|dash|java|deno|bun)$/;

/** What a command line starts, and by what. */
export const executableLints: readonly Lint[] = [
  {
    id: "variable-before-command",
    severity: "error",
    why: "NAME=value before a command is shell syntax; systemd takes it for the name of the executable.",
    fix: "Write Environment=NAME=value on a line of its own.",
    hits: (unit) =>
      allCommandsOf(unit)
        .filter(({ path }) => /^[A-Za-z_][A-Za-z0-9_]*=/.test(path))
        .map((command) => ofExecutable(command, `${command.path.split("=")[0]}=... is taken for the executable`)),
  },
  {
    id: "shell-builtin",
    severity: "error",
    why: "It is no program but a word of the shell, so there is nothing to start (203/EXEC).",
    fix: "Write WorkingDirectory= for cd, Environment= for export, LimitNOFILE= and its kind for ulimit, or a script.",
    hits: (unit) =>
      allCommandsOf(unit)
        .filter(({ path }) => builtins.has(path))
        .map((command) => ofExecutable(command, `"${command.path}" is a word of the shell, not a program`)),
  },
  {
    id: "bare-executable",
    severity: "info",
    why: "A plain name is looked up in /usr/local/bin, /usr/bin and the like; not in $PATH, a virtual environment or the home of User=.",
    fix: "Write the absolute path.",
    hits: (unit) =>
      allCommandsOf(unit)
        .filter(
          ({ path }) =>
            /^[A-Za-z0-9][\w.+-]*$/.test(path) &&
            !builtins.has(path) &&
            textOf(unit, "Service.ExecSearchPath") === undefined,
        )
        .map((command) => ofExecutable(command, `"${command.path}" is looked up in systemd's own list of directories`)),
  },
  {
    id: "relative-argument",
    severity: "warning",
    why: "Services begin in /, so an interpreter looks for the program there.",
    fix: "Write WorkingDirectory=, or the absolute path of the program.",
    hits: (unit) => {
      if (!isService(unit) || textOf(unit, "Service.WorkingDirectory") !== undefined) return [];
      return allCommandsOf(unit).flatMap((command): LintHit[] => {
        if (!interpreter.test(command.program)) return [];
        const words = command.programArguments;
        const index = words.findIndex(({ text }) => !text.startsWith("-"));
        const word = words[words[index - 1]?.text === "-jar" ? index : index];
        const isOfOption = /^-[cemW]$/.test(words[index - 1]?.text ?? "");
        if (word === undefined || isOfOption || !/^[\w.][\w./-]*\.(py|js|mjs|ts|rb|pl|php|sh|jar)$/.test(word.text))
          return [];
        const message = `${command.at.key}: ${command.program} looks for ${JSON.stringify(word.text)} in /, as there is no WorkingDirectory=`;
        return [{ at: command.at, mark: { start: word.start, end: word.start + word.raw.length }, message }];
      });
    },
  },
  {
    id: "sudo-in-command",
    severity: "warning",
    why: "systemd sets the user itself; sudo adds a session, a process in between, and rules that nobody sees in the unit.",
    fix: "Write User=, or the prefix + before the one command that needs root.",
    hits: (unit) =>
      allCommandsOf(unit).flatMap((command): LintHit[] => {
        const name = privilegeProgramIn(command);
        return name === undefined
          ? []
          : [{ at: command.at, message: `${command.at.key}: ${name} changes the user behind systemd's back` }];
      }),
  },
  {
    id: "background-helper",
    severity: "warning",
    why: "systemd already keeps the program apart from any terminal and watches it; behind such a helper it watches the helper.",
    fix: "Start the program itself.",
    hits: (unit) =>
      allCommandsOf(unit).flatMap((command): LintHit[] => {
        const name = command.path.slice(command.path.lastIndexOf("/") + 1);
        const script = shellScriptOf(command)?.text ?? "";
        const found = ["nohup", "screen", "tmux", "setsid", "disown"].find(
          (helper) => name === helper || new RegExp(`(^|[;&|]\\s*)${helper}\\s`).test(script),
        );
        return found === undefined
          ? []
          : [{ at: command.at, message: `${command.at.key}: ${found} is of no use in a service` }];
      }),
  },
  {
    id: "development-server",
    severity: "warning",
    why: "It is made for one developer: it reloads code, serves few requests at once and may show a debugger to anyone.",
    fix: "Start a server for production, such as gunicorn or uvicorn without --reload.",
    hits: (unit) =>
      allCommandsOf(unit).flatMap((command): LintHit[] => {
        const words = [command.program, ...command.programArguments.map(({ text }) => text)];
        const text = words.join(" ");
        const found = [
          [/manage\.py runserver\b/, "manage.py runserver"],
          [/\bflask( \S+)* run\b/, "flask run"],
          [/\buvicorn\b.* --reload\b/, "uvicorn --reload"],
          [/\bgunicorn\b.* --reload\b/, "gunicorn --reload"],
          [/\b(npm|yarn|pnpm) (run )?dev\b/, "a dev script"],
        ] as const;
        const name = found.find(([pattern]) => pattern.test(text))?.[1];
        return name === undefined ? [] : [{ at: command.at, message: `${command.at.key}: ${name} is for development` }];
      }),
  },
  {
    id: "python-buffered-output",
    severity: "info",
    why: "Python buffers what it prints when it does not write to a terminal: the journal gets it late, and after a crash not at all.",
    fix: "Write Environment=PYTHONUNBUFFERED=1, or python -u.",
    hits: (unit) => {
      if (!isDaemon(unit) || itemsOf(unit, "Service.EnvironmentFile").length > 0) return [];
      const isSet = listWordsOf(unit, "Service.Environment").some(({ word }) => word.startsWith("PYTHONUNBUFFERED="));
      if (isSet) return [];
      return commandsOf(unit, "ExecStart").flatMap((command): LintHit[] => {
        const [first, second] = command.programArguments.map(({ text }) => text);
        if (!/^python[0-9.]*$/.test(command.program) || first === undefined) return [];
        if (/^-[A-Za-z]*u/.test(first) || (first === "-m" && /^(gunicorn|uvicorn|celery|hypercorn)/.test(second ?? "")))
          return [];
        return [{ at: command.at, message: `ExecStart: ${command.program} buffers its output` }];
      });
    },
  },
  {
    id: "sleep-before-start",
    severity: "info",
    why: "A fixed pause is too short on a slow day and wasted on all others.",
    fix: "Order the unit behind what it waits for (After=, a socket, Type=notify), or let it retry by Restart=.",
    hits: (unit) =>
      [...commandsOf(unit, "ExecStartPre"), ...commandsOf(unit, "ExecStartPost")].flatMap((command): LintHit[] => {
        const isPause =
          command.program === "sleep" || /^\s*sleep\s+[\d.]+\s*$/.test(shellScriptOf(command)?.text ?? "");
        return isPause ? [{ at: command.at, message: `${command.at.key}: a pause stands in for a dependency` }] : [];
      }),
  },
  {
    id: "directory-by-command",
    severity: "info",
    why: "systemd makes such directories itself, with the right owner, before the sandbox closes, and opens them in it.",
    fix: "Write RuntimeDirectory=, StateDirectory=, CacheDirectory= or LogsDirectory=.",
    hits: (unit) =>
      commandsOf(unit, "ExecStartPre").flatMap((command): LintHit[] => {
        const script = shellScriptOf(command)?.text ?? "";
        const isMade =
          ["mkdir", "install", "chown"].includes(command.program) || /(^|[;&|]\s*)(mkdir|chown)\s/.test(script);
        const text = script === "" ? command.programArguments.map((word) => word.text).join(" ") : script;
        const place = /(^|\s)(\/var)?\/(run|lib|cache|log)\/[\w.-]+/.exec(text);
        if (!isMade || place === null || (command.program === "install" && !/(^|\s)-\w*d/.test(text))) return [];
        return [{ at: command.at, message: `ExecStartPre: ${command.program} prepares ${place[0].trim()}` }];
      }),
  },
  {
    id: "kill-in-exec-stop",
    severity: "info",
    why: "systemd stops the whole service itself: KillSignal= to the processes, then SIGKILL after TimeoutStopSec=.",
    fix: "Leave ExecStop= out; write KillSignal= for another signal.",
    hits: (unit) =>
      commandsOf(unit, "ExecStop").flatMap((command): LintHit[] => {
        if (!["kill", "pkill", "killall"].includes(command.program)) return [];
        const isHard = command.programArguments.some(({ text }) =>
          /^-(9|KILL|SIGKILL)$|^(-s)?(KILL|SIGKILL)$/.test(text),
        );
        const isBroad = command.program !== "kill";
        const effect = isBroad
          ? `${command.program} also hits processes that are not of this service`
          : isHard
            ? "SIGKILL leaves the program no time to finish"
            : "systemd sends the signal anyway";
        return [{ at: command.at, message: `ExecStop: ${effect}`, severity: isBroad || isHard ? "warning" : "info" }];
      }),
  },
  {
    id: "asynchronous-reload",
    severity: "info",
    why: "The reload counts as done as soon as the signal is sent, so nobody waits for it or learns that it failed.",
    fix: "Write Type=notify-reload (systemd 253 and newer), or an ExecReload= that waits.",
    hits: (unit) =>
      commandsOf(unit, "ExecReload")
        .filter(
          ({ program, programArguments: words }) =>
            program === "kill" && words.some(({ text }) => /HUP|-1$|USR/.test(text)),
        )
        .map((command) => ({ at: command.at, message: "ExecReload: kill only sends a signal and does not wait" })),
  },
];

const privilegePrograms = ["sudo", "doas", "pkexec", "su", "runuser"];

/** One of them where a command of a shell script begins. */
const privilegeInScript =
  /(?:^|[;&|(`]\s*|\b(?:then|do|else|exec|if|while)\s+)\s*(?:\/usr)?(?:\/bin\/)?(sudo|doas|pkexec|su|runuser)\s/;

/** `sudo`, `su` or one of their kind, where a command or a command of its shell script begins with it, or undefined. */
export function privilegeProgramIn(command: CommandLine): string | undefined {
  const last = command.path.slice(command.path.lastIndexOf("/") + 1);
  const found = privilegePrograms.find((name) => name === last || name === command.program);
  return found ?? privilegeInScript.exec(shellScriptOf(command)?.text ?? "")?.[1];
}

function ofExecutable(command: CommandLine, text: string): LintHit {
  const end = command.start + command.prefixes.length + command.path.length;
  return { at: command.at, mark: { start: command.start, end }, message: `${command.at.key}: ${text}` };
}
