import { commandsOf } from "./command-line.ts";
import type { Lint, LintHit } from "./lint.ts";
import { isOn, itemsOf, type LintedUnit, ownSectionIndex, quoted, settingOf, textOf } from "./linted-unit.ts";

/** The `Type=` that systemd takes for a service: the one that is written, else by `BusName=` and `ExecStart=`. */
export function serviceTypeOf(unit: LintedUnit): string {
  const written = textOf(unit, "Service.Type");
  if (written !== undefined) return written;
  if (textOf(unit, "Service.BusName") !== undefined) return "dbus";
  return itemsOf(unit, "Service.ExecStart").length > 0 ? "simple" : "oneshot";
}

/** Whether a unit is a service that has anything at all: an empty file masks the unit. */
export function isService(unit: LintedUnit): boolean {
  return unit.type === "service" && unit.file.sections.length > 0;
}

/** Whether a service runs as root: no `User=`, or root, and no `DynamicUser=`. */
export function runsAsRoot(unit: LintedUnit): boolean {
  const user = textOf(unit, "Service.User");
  return user === undefined ? !isOn(unit, "Service.DynamicUser") : user === "root" || user === "0";
}

/** Whether it starts a process that goes on running. */
export function isDaemon(unit: LintedUnit): boolean {
  return isService(unit) && serviceTypeOf(unit) !== "oneshot";
}

/** Settings that do not fit the `Type=` of the service: what systemd refuses to load, or what its type makes pointless. */
export const serviceTypeLints: readonly Lint[] = [
  {
    id: "no-exec-start",
    severity: "error",
    why: "systemd does not load a service that starts nothing; only Type=oneshot may have ExecStop= alone, with RemainAfterExit=yes.",
    fix: "Write ExecStart=.",
    hits: (unit) => {
      if (!isService(unit) || itemsOf(unit, "Service.ExecStart").length > 0) return [];
      const hasAction = (textOf(unit, "Unit.SuccessAction") ?? "none") !== "none";
      if (serviceTypeOf(unit) !== "oneshot") {
        const at = settingOf(unit, "Service.Type") ?? settingOf(unit, "Service.BusName");
        return [{ at, message: `there is no ExecStart=, which ${at === undefined ? "this type" : quoted(at)} needs` }];
      }
      if (hasAction) return [];
      if (itemsOf(unit, "Service.ExecStop").length === 0) {
        return [
          {
            sectionIndex: ownSectionIndex(unit),
            message: "there is no ExecStart=, ExecStop= or SuccessAction=; write ExecStart=",
          },
        ];
      }
      if (isOn(unit, "Service.RemainAfterExit")) return [];
      const at = itemsOf(unit, "Service.ExecStop")[0];
      return [{ at, mark: "key", message: "ExecStop= without ExecStart= needs RemainAfterExit=yes" }];
    },
  },
  {
    id: "several-exec-start",
    severity: "error",
    why: "Only Type=oneshot runs several commands; systemd does not load the unit.",
    fix: "Keep one ExecStart=, move preparations to ExecStartPre=; in a drop-in write an empty ExecStart= first.",
    hits: (unit) => {
      if (!isService(unit) || serviceTypeOf(unit) === "oneshot") return [];
      const second = commandsOf(unit, "ExecStart")[1];
      if (second === undefined) return [];
      const count = commandsOf(unit, "ExecStart").length;
      const message = `ExecStart: there are ${count} commands, Type=${serviceTypeOf(unit)} takes one`;
      return [{ at: second.at, mark: { start: second.start, end: second.at.value.length }, message }];
    },
  },
  {
    id: "bus-name-missing",
    severity: "error",
    why: "Type=dbus waits for a name on the bus; systemd does not load the unit without it.",
    fix: "Write BusName=, or another Type=.",
    hits: (unit) =>
      isService(unit) && textOf(unit, "Service.Type") === "dbus" && textOf(unit, "Service.BusName") === undefined
        ? [{ at: settingOf(unit, "Service.Type"), message: "Type=dbus: there is no BusName=" }]
        : [],
  },
  {
    id: "oneshot-setting",
    severity: "error",
    why: "A oneshot service ends as part of its work, so some settings make no sense: systemd refuses the unit, or ignores the line.",
    fix: "Leave the line out, or write a Type= for a process that goes on running.",
    hits: (unit, { systemd }) => {
      if (!isService(unit) || serviceTypeOf(unit) !== "oneshot") return [];
      const exitType = settingOf(unit, "Service.ExitType");
      const forced = settingOf(unit, "Service.RestartForceExitStatus");
      const longest = settingOf(unit, "Service.RuntimeMaxSec");
      const watchdog = settingOf(unit, "Service.WatchdogSec");
      return [
        ...(exitType?.value === "cgroup"
          ? [hit(exitType, "systemd refuses it with Type=oneshot; the unit does not load", "error")]
          : []),
        ...(forced !== undefined && (systemd ?? 247) < 257
          ? [hit(forced, "systemd refuses it with Type=oneshot (252; 257 takes it); the unit does not load", "error")]
          : []),
        ...(longest === undefined
          ? []
          : [hit(longest, "it has no effect with Type=oneshot; write TimeoutStartSec= to bound its run", "warning")]),
        ...(watchdog === undefined || watchdog.value === "0"
          ? []
          : [
              hit(
                watchdog,
                "the watchdog runs only while a service is active, which Type=oneshot hardly is; write TimeoutStartSec=",
                "warning",
              ),
            ]),
      ];
    },
  },
  {
    id: "pam-kill-mode",
    severity: "error",
    why: "A PAM session has a process of its own to be ended; systemd does not load the unit with another KillMode=.",
    fix: "Write KillMode=control-group or KillMode=mixed.",
    hits: (unit) => {
      const mode = settingOf(unit, "Service.KillMode");
      if (!isService(unit) || textOf(unit, "Service.PAMName") === undefined || mode === undefined) return [];
      return ["control-group", "mixed"].includes(mode.value)
        ? []
        : [{ at: mode, message: `${quoted(mode)} is refused together with PAMName=` }];
    },
  },
  {
    id: "forking-without-pid-file",
    severity: "info",
    why: "Without PIDFile= systemd guesses which process is the main one, and may watch and signal the wrong one.",
    fix: "Keep the program in the foreground with Type=notify or Type=exec, or write PIDFile=.",
    hits: (unit) =>
      isService(unit) &&
      serviceTypeOf(unit) === "forking" &&
      textOf(unit, "Service.PIDFile") === undefined &&
      textOf(unit, "Service.GuessMainPID") === undefined &&
      textOf(unit, "Service.BusName") === undefined &&
      !isOn(unit, "Service.RemainAfterExit")
        ? [{ at: settingOf(unit, "Service.Type"), message: "Type=forking: there is no PIDFile=" }]
        : [],
  },
  {
    id: "pid-file-without-forking",
    severity: "info",
    why: "systemd reads the PID file only for Type=forking; for other types it only removes the file at stop.",
    fix: "Leave PIDFile= out.",
    hits: (unit) => {
      const at = settingOf(unit, "Service.PIDFile");
      if (!isService(unit) || at === undefined || serviceTypeOf(unit) === "forking") return [];
      return [{ at, message: `${quoted(at)} is not read with Type=${serviceTypeOf(unit)}` }];
    },
  },
  {
    id: "pid-file-not-writable",
    severity: "warning",
    why: "Only root may create files in /run itself; the start of a service that forks then fails or times out.",
    fix: "Write RuntimeDirectory=NAME and put the file into /run/NAME/.",
    hits: (unit) => {
      const at = settingOf(unit, "Service.PIDFile");
      const isUnprivileged = commandsOf(unit, "ExecStart").every(({ prefixes }) => !/[+!]/.test(prefixes));
      if (!isService(unit) || at === undefined || runsAsRoot(unit) || !isUnprivileged) return [];
      if (!/^(\/(var\/)?run\/)?[^/]+$/.test(at.value)) return [];
      const user = textOf(unit, "Service.User") ?? "a dynamic user";
      return [{ at, message: `${quoted(at)} is in /run itself, where ${user} may not create a file` }];
    },
  },
  {
    id: "foreground-with-forking",
    severity: "warning",
    why: "Type=forking waits until the first process exits; a program that stays in the foreground is killed after TimeoutStartSec=.",
    fix: "Write Type=exec, or Type=notify where the program sends READY=1.",
    hits: (unit) => {
      if (!isService(unit) || serviceTypeOf(unit) !== "forking") return [];
      return commandsOf(unit, "ExecStart").flatMap((command): LintHit[] => {
        const { program, programArguments: words, at } = command;
        const isKnown = /^(uvicorn|gunicorn|hypercorn|daphne|celery|flask|node|java|python[0-9.]*)$/.test(program);
        const forks = words.some(({ text }) => /daemon|^-D$|^multi$|fork|detach|background/.test(text));
        if (!isKnown || forks) return [];
        // A script may fork by itself, and who names its PID file may know that it does.
        const mayFork = /^(node|java|python[0-9.]*)$/.test(program) && textOf(unit, "Service.PIDFile") !== undefined;
        const message = `ExecStart: ${program} stays in the foreground, Type=forking waits for it to exit`;
        return [
          mayFork ? { at, message: `${message}; right only if the program forks`, severity: "info" } : { at, message },
        ];
      });
    },
  },
  {
    id: "daemonizing-without-forking",
    severity: "warning",
    why: "The process that systemd started exits at once, so systemd takes the service for ended and kills what is left of it.",
    fix: "Leave the option out and keep the program in the foreground, or write Type=forking.",
    hits: (unit) => {
      const type = isService(unit) ? serviceTypeOf(unit) : "oneshot";
      if (!["simple", "exec", "idle"].includes(type)) return [];
      return commandsOf(unit, "ExecStart").flatMap((command): LintHit[] => {
        const { program, programArguments: words, at } = command;
        if (words.some(({ text }) => /^--?(no-?(daemon|detach|fork|background)|foreground)/.test(text))) return [];
        const option = words.find(({ text, raw }, index) => {
          if (raw !== text) return false;
          if (/^--?daemoni[sz]e$/.test(text)) return !/^(no|false|0|off)$/.test(words[index + 1]?.text ?? "");
          if (/^--daemon$/.test(text)) return true;
          if (text === "-D") return program === "gunicorn";
          return text === "multi" && (program === "celery" || words[index - 1]?.text === "celery");
        });
        if (option === undefined) return [];
        const mark = { start: option.start, end: option.start + option.raw.length };
        return [
          {
            at,
            mark,
            message: `ExecStart: with ${JSON.stringify(option.text)} ${program} leaves for the background, Type=${type} takes that for its end`,
          },
        ];
      });
    },
  },
  {
    id: "working-directory-refused",
    severity: "error",
    why: "A dynamic user has no home directory; systemd does not load the unit.",
    fix: "Write StateDirectory=NAME and WorkingDirectory=%S/NAME.",
    hits: (unit) => {
      const at = settingOf(unit, "Service.WorkingDirectory");
      if (!isService(unit) || !isOn(unit, "Service.DynamicUser") || at?.value !== "~") return [];
      return [{ at, message: "WorkingDirectory=~ is refused together with DynamicUser=yes" }];
    },
  },
];

function hit(at: NonNullable<LintHit["at"]>, text: string, severity: NonNullable<LintHit["severity"]>): LintHit {
  return { at, severity, message: `${quoted(at)}: ${text}` };
}
