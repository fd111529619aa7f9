import type { Lint, LintHit } from "./lint.ts";
import { isOff, itemsOf, quoted, settingOf, spanIn, textOf } from "./linted-unit.ts";
import { isService, serviceTypeOf } from "./service-type.ts";
import { activatorsOf } from "./unit-set.ts";

/** How a service is ended, and how long systemd waits. */
export const stoppingLints: readonly Lint[] = [
  {
    id: "kill-mode-none",
    severity: "warning",
    why: "systemd leaves the processes of the service running at stop and forgets them; it warns and will drop KillMode=none.",
    fix: "Write KillMode=mixed or leave the line out.",
    hits: (unit) => {
      const at = settingOf(unit, `${unit.ownSection}.KillMode`);
      return at?.value === "none" ? [{ at, message: `${quoted(at)} leaves processes behind` }] : [];
    },
  },
  {
    id: "kill-mode-process",
    severity: "info",
    why: "Only the main process is stopped; its children stay and get in the way of the next start.",
    fix: "Leave the line out, unless the children shall outlive the service, as the sessions of sshd do.",
    hits: (unit) => {
      const at = settingOf(unit, "Service.KillMode");
      return at?.value === "process" ? [{ at, message: `${quoted(at)} leaves child processes behind` }] : [];
    },
  },
  {
    id: "no-final-kill",
    severity: "warning",
    why: "A process that ignores the first signal is never ended; the next start then runs beside it.",
    fix: "Leave SendSIGKILL= out.",
    hits: (unit) => {
      const at = settingOf(unit, `${unit.ownSection}.SendSIGKILL`);
      return at !== undefined && isOff(unit, `${unit.ownSection}.SendSIGKILL`)
        ? [{ at, message: `${quoted(at)} leaves hanging processes behind` }]
        : [];
    },
  },
  {
    id: "kill-signal-kill",
    severity: "warning",
    why: "SIGKILL as the first signal leaves a program no time to finish requests and to write its data.",
    fix: "Leave KillSignal= out and write a shorter TimeoutStopSec=.",
    hits: (unit) => {
      const at = settingOf(unit, `${unit.ownSection}.KillSignal`);
      return at !== undefined && ["SIGKILL", "KILL", "9"].includes(at.value)
        ? [{ at, message: `${quoted(at)} ends the service without notice` }]
        : [];
    },
  },
  {
    id: "stop-without-bound",
    severity: "warning",
    why: "0 and infinity switch the timeout off: one hanging process then holds up a restart, or the shutdown of the host for half an hour.",
    fix: "Write a bound that is long enough, such as 5min.",
    hits: (unit) => {
      const at = settingOf(unit, "Service.TimeoutStopSec") ?? settingOf(unit, "Service.TimeoutSec");
      if (!isService(unit) || at === undefined || (serviceTypeOf(unit) === "oneshot" && at.key === "TimeoutSec"))
        return [];
      const span = spanIn(at.value);
      if (span === undefined || (span !== 0 && span <= 1800 * 1_000_000)) return [];
      const effect = span === 0 ? "is no bound at all" : "is longer than a shutdown waits";
      return [{ at, message: `${quoted(at)} ${effect}` }];
    },
  },
  {
    id: "oneshot-without-timeout",
    severity: "info",
    why: "Type=oneshot has no start timeout: a run that hangs blocks all later runs of its timer, without any failure.",
    fix: "Write TimeoutStartSec=, longer than the longest good run.",
    across: true,
    hits: (unit, set): LintHit[] => {
      if (!isService(unit) || serviceTypeOf(unit) !== "oneshot") return [];
      const isBound = ["TimeoutStartSec", "TimeoutSec"].some((key) => textOf(unit, `Service.${key}`) !== undefined);
      const timer = activatorsOf(set, unit).find(({ type }) => type === "timer");
      if (isBound || timer === undefined) return [];
      const at = settingOf(unit, "Service.Type") ?? itemsOf(unit, "Service.ExecStart")[0];
      return [{ at, message: `Type=oneshot: a run that hangs blocks ${timer.name} for ever` }];
    },
  },
];
