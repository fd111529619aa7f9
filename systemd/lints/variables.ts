import { directiveOf } from "../directives.ts";
import { specifiersIn } from "../specifiers.ts";
import { expandsSpecifiers } from "../values/value.ts";
import { allCommandsOf, isShell, startsShell } from "./command-line.ts";
import type { Lint, LintHit } from "./lint.ts";
import { assignmentsOf, itemsOf, type LintedUnit, listWordsOf } from "./linted-unit.ts";

/** Variables that systemd sets by itself (systemd.exec(5), "Environment Variables Set on Invocation"), or a shell does. */
const known: ReadonlySet<string> = new Set(
  (
    "PATH LANG USER LOGNAME HOME SHELL INVOCATION_ID XDG_RUNTIME_DIR RUNTIME_DIRECTORY STATE_DIRECTORY CACHE_DIRECTORY " +
    "LOGS_DIRECTORY CONFIGURATION_DIRECTORY CREDENTIALS_DIRECTORY MAINPID MANAGERPID MANAGERPIDFDID MAINPIDFDID LISTEN_FDS LISTEN_PID " +
    "LISTEN_FDNAMES LISTEN_PIDFDID NOTIFY_SOCKET WATCHDOG_PID WATCHDOG_USEC SYSTEMD_EXEC_PID TERM LOG_NAMESPACE JOURNAL_STREAM " +
    "SERVICE_RESULT EXIT_CODE EXIT_STATUS MONITOR_SERVICE_RESULT MONITOR_EXIT_CODE MONITOR_EXIT_STATUS MONITOR_INVOCATION_ID " +
    "MONITOR_UNIT PIDFILE REMOTE_ADDR REMOTE_PORT TRIGGER_UNIT TRIGGER_PATH TRIGGER_TIMER_REALTIME_USEC " +
    "TRIGGER_TIMER_MONOTONIC_USEC MEMORY_PRESSURE_WATCH MEMORY_PRESSURE_WRITE FDSTORE COLUMNS LINES"
  ).split(" "),
);

/** What systemd makes of `$NAME`, `${NAME}` and `%x`, where that is not what was meant. */
export const variableLints: readonly Lint[] = [
  {
    id: "undefined-variable",
    severity: "warning",
    why: "systemd replaces $NAME and ${NAME} itself, also within the script of a shell; what the unit does not set becomes empty.",
    fix: "Set it with Environment= or EnvironmentFile=; write $$ for a $ that is meant for the shell.",
    hits: (unit) => {
      if (["EnvironmentFile", "PassEnvironment"].some((key) => itemsOf(unit, `Service.${key}`).length > 0)) return [];
      if (assignmentsOf(unit, "Service.PAMName").length > 0) return [];
      const set = new Set(listWordsOf(unit, "Service.Environment").map(({ word }) => word.split("=")[0] ?? ""));
      return allCommandsOf(unit).flatMap((command): LintHit[] => {
        if (command.prefixes.includes(":")) return [];
        const found = command.arguments.flatMap((word) => variablesIn(word.text).map((name) => ({ name, word })));
        const missing = found.filter(({ name }) => !known.has(name) && !set.has(name));
        const names = [...new Set(missing.map(({ name }) => name))];
        const word = missing[0]?.word;
        if (word === undefined) return [];
        const hint = isShell(command.program) ? "; for a variable of the script write two $" : "";
        const message = `${command.at.key}: ${names.join(", ")} ${names.length > 1 ? "are" : "is"} not set by this unit and ${names.length > 1 ? "become" : "becomes"} empty${hint}`;
        return [{ at: command.at, mark: { start: word.start, end: word.start + word.raw.length }, message }];
      });
    },
  },
  {
    id: "variable-default",
    severity: "error",
    why: "systemd knows only ${NAME}; forms such as ${NAME:-default} reach the program as they are written.",
    fix: "Write the default with Environment= before EnvironmentFile=, or start a shell and write $${NAME:-default}.",
    hits: (unit) =>
      allCommandsOf(unit).flatMap((command): LintHit[] => {
        if (command.prefixes.includes(":") || startsShell(command)) return [];
        const word = command.arguments.find(({ text }) =>
          /(^|[^$])\$\{[A-Za-z_]\w*(:?[-+=?]|##?|%%?|\/)[^}]*\}/.test(text),
        );
        if (word === undefined) return [];
        const message = `${command.at.key}: the part behind the name in \${...} is not understood by systemd`;
        return [{ at: command.at, mark: { start: word.start, end: word.start + word.raw.length }, message }];
      }),
  },
  {
    id: "environment-not-expanded",
    severity: "warning",
    why: "Environment= expands no variables: the program gets the $ and the name.",
    fix: "Write the value itself; for a directory of the unit use a specifier such as %S or %t.",
    hits: (unit) =>
      itemsOf(unit, "Service.Environment").flatMap((at): LintHit[] => {
        const found = /\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?/.exec(at.value);
        const name = found?.[1] ?? "";
        if (found === null || !(known.has(name) || isSetBy(unit, name))) return [];
        const mark = { start: found.index, end: found.index + found[0].length };
        return [{ at, mark, message: `Environment: ${found[0]} is not expanded` }];
      }),
  },
  {
    id: "instance-specifier",
    severity: "warning",
    why: "%i and %I stand for what is behind the @ in the unit's name; in a unit that is no template they are empty.",
    fix: "Name the unit NAME@.TYPE, or write what is meant; %% is a percent sign.",
    hits: (unit) => {
      if (unit.instance !== undefined || unit.isFragment === true) return [];
      return [...unit.assignments.values()].flat().flatMap((at): LintHit[] => {
        const directive = directiveOf(at.section, at.key);
        if (directive === undefined || !expandsSpecifiers(directive)) return [];
        const found = /(?<!%)(?:%%)*(%[iI])/.exec(at.value);
        const specifier = found?.[1];
        if (found === null || specifier === undefined || at.section === "Install") return [];
        const start = found.index + found[0].length - 2;
        const message = `${at.key}: ${specifier} is empty, as ${unit.name} is no template`;
        return [{ at, mark: { start, end: start + 2 }, message }];
      });
    },
  },
  {
    id: "percent-as-specifier",
    severity: "warning",
    why: "systemd replaces %m, %H, %d and so on in the value: the machine id, the host name, the credentials directory.",
    fix: "Write %% for a percent sign that is meant.",
    hits: (unit) =>
      [
        "ExecCondition",
        "ExecStartPre",
        "ExecStart",
        "ExecStartPost",
        "ExecReload",
        "ExecStop",
        "ExecStopPost",
        "Environment",
      ]
        .flatMap((key) => itemsOf(unit, `Service.${key}`))
        .flatMap((at): LintHit[] => {
          const date = /(?<!%)(%%)*%[YymdHMSFTjs]([-_:./T ]?%[YymdHMSFTjsz])+/.exec(at.value);
          const urlEscape = /(?<!%)(%%)*%[A-F][0-9A-F](?![0-9A-Za-z]*%?\/)/.exec(at.value);
          const found = date ?? (/(:\/\/|%[0-9A-F]{2}%)/.test(at.value) ? urlEscape : null);
          const names = found === null ? [] : specifiersIn(found[0]);
          if (found === null || names.length === 0) return [];
          const mark = { start: found.index, end: found.index + found[0].length };
          const what = date === null ? "an escape of a URL" : "a date";
          return [
            { at, mark, message: `${at.key}: systemd replaces ${names.join(" ")}, which looks like part of ${what}` },
          ];
        }),
  },
];

function isSetBy(unit: LintedUnit, name: string): boolean {
  return listWordsOf(unit, "Service.Environment").some(({ word }) => word.startsWith(`${name}=`));
}

/** The names that systemd replaces in an argument: `${NAME}` anywhere, `$NAME` as a whole word. */
function variablesIn(text: string): readonly string[] {
  const whole = /^\$([A-Za-z_][A-Za-z0-9_]*)$/.exec(text)?.[1];
  if (whole !== undefined) return [whole];
  return [...text.matchAll(/(?<!\$)(?:\$\$)*\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g)].map((found) => found[1] ?? "");
}
