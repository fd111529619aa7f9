import { onCalendarOfCron } from "../systemd/cron.ts";
import { encodedExecCommand } from "../systemd/exec-command.ts";
import { profileSandbox } from "../systemd/profiles.ts";
import type { UnitSections } from "../systemd/sections.ts";
import { mergedSections } from "../systemd/sections.ts";
import { escapedSpecifiers } from "../systemd/specifiers.ts";
import { cronLines, type TimerPlain, type TimerSchedulePlain } from "./timer-args.ts";

/** The sections of a timer unit. Follows systemd.timer(5). */
export function timerSections(name: string, service: string, args: TimerPlain) {
  return mergedSections(
    {
      Unit: { Description: escapedSpecifiers(args.description ?? name) },
      Timer: {
        OnCalendar: listed(args.onCalendar, scheduleCalendars(args.schedule)),
        OnBootSec: listed(args.onBootSec),
        OnStartupSec: listed(args.onStartupSec),
        OnUnitActiveSec: listed(args.onUnitActiveSec),
        OnUnitInactiveSec: listed(args.onUnitInactiveSec),
        OnActiveSec: listed(args.onActiveSec ?? firstRun(args)),
        RandomizedDelaySec: args.randomizedDelaySec,
        FixedRandomDelay: args.fixedRandomDelay,
        AccuracySec: args.accuracySec ?? "1s",
        Persistent: args.persistent,
        Unit: service,
      },
      Install: { WantedBy: "timers.target" },
    },
    { Unit: args.unit, Timer: args.timer, Install: args.install },
  );
}

function listed(one: string | undefined, more: readonly string[] = []): string[] | undefined {
  const all = [...(one === undefined ? [] : [one]), ...more];
  return all.length > 0 ? all : undefined;
}

/** What counts from a run needs a first one, or the timer would never fire. */
function firstRun({ onUnitActiveSec, onUnitInactiveSec, ...args }: TimerPlain): string | undefined {
  const others = [args.onCalendar, args.schedule, args.onBootSec, args.onStartupSec];
  if (others.some((value) => value !== undefined) || Object.keys(args.timer ?? {}).some((key) => key.startsWith("On")))
    return undefined;
  return onUnitActiveSec ?? onUnitInactiveSec;
}

/** The calendar expressions of a schedule, each in its time zone. */
function scheduleCalendars({ cron = "", onCalendar = [], timeZone }: TimerSchedulePlain = {}): string[] {
  const own = onCalendar.map((text) => (timeZone === undefined || namesZone(text) ? text : `${text} ${timeZone}`));
  return [...own, ...cronLines(cron).flatMap((line) => onCalendarOfCron(line, timeZone).onCalendar)];
}

/** A calendar expression ends with its zone, if it has one: the only word with a letter that stands behind a time or date. */
function namesZone(expression: string): boolean {
  const words = expression.trim().split(/\s+/);
  return words.length > 1 && /^[A-Za-z]/.test(words.at(-1) ?? "");
}

/** What a reader of the preview should know about the schedule: how cron was translated. */
export function scheduleNotes(args: TimerPlain): string[] {
  const { cron = "", timeZone } = args.schedule ?? {};
  return cronLines(cron).map((line) => {
    const { onCalendar, notes } = onCalendarOfCron(line, timeZone);
    const said = onCalendar.map((text) => `OnCalendar=${text}`).join(" and ");
    return [`cron ${JSON.stringify(line)} is ${said}`, ...notes].join("; ");
  });
}

/** Name of the unit that a timer starts when a due run is to wait for the one before. */
export function dueServiceName(name: string): string {
  return `${name}-due.service`;
}

// `systemctl start` of a service that is starting waits for the end of that start, which for a oneshot is its run. The
// second start is the run that was due; while this unit waits, systemd starts it no second time, so one run is queued.
const startAfterRun =
  'case "$(systemctl show --property=ActiveState --value -- "$0")" in inactive|failed) ;; *) systemctl start -- "$0" || : ;; esac; exec systemctl start --no-block -- "$0"';

/**
 * The sections of the service that a timer with `onOverlap: queue` starts in place of the work itself: it waits for a run
 * that is under way, and then starts the next.
 */
export function dueSections(name: string): Pick<UnitSections, "Unit" | "Service"> {
  return {
    Unit: { Description: escapedSpecifiers(`Starts ${name}.service, after a run of it that is under way`) },
    Service: {
      Type: "oneshot",
      ExecStart: [encodedExecCommand(["/bin/sh", "-c", startAfterRun, `${name}.service`])],
      // It waits for a run that has a bound of its own.
      TimeoutStartSec: "infinity",
      ...profileSandbox("strict"),
      RestrictAddressFamilies: "AF_UNIX",
    },
  };
}
