import { CalendarError, nextElapses, parsedCalendar } from "../calendar.ts";
import { formattedTimeSpan } from "../values/time-span.ts";
import type { Lint, LintHit } from "./lint.ts";
import {
  type Assignment,
  isOn,
  type LintedUnit,
  ownSectionIndex,
  quoted,
  settingOf,
  spanIn,
  spanOf,
} from "./linted-unit.ts";
import { isService, serviceTypeOf } from "./service-type.ts";
import { activatedUnit, activatorsOf, mayExist, unitNamed } from "./unit-set.ts";

const second = 1_000_000;

const triggerDirectives = [
  "OnActiveSec",
  "OnBootSec",
  "OnStartupSec",
  "OnUnitActiveSec",
  "OnUnitInactiveSec",
  "OnCalendar",
  "OnClockChange",
  "OnTimezoneChange",
];

/** When timers run, and what they start. */
export const timerLints: readonly Lint[] = [
  {
    id: "timer-without-trigger",
    severity: "error",
    why: "systemd does not load a timer that never elapses.",
    fix: "Write OnCalendar=, or OnBootSec= with OnUnitActiveSec=.",
    hits: (unit) =>
      unit.type === "timer" && unit.file.sections.length > 0 && triggersOf(unit).length === 0
        ? [
            {
              sectionIndex: ownSectionIndex(unit),
              message: "there is no OnCalendar= or other On...=",
            },
          ]
        : [],
  },
  {
    id: "path-without-path",
    severity: "error",
    why: "systemd does not load a path unit that watches nothing.",
    fix: "Write PathExists=, PathChanged= or another path.",
    hits: (unit) => {
      const keys = ["PathExists", "PathExistsGlob", "PathChanged", "PathModified", "DirectoryNotEmpty"];
      const isEmpty = keys.every((key) => (unit.assignments.get(`Path.${key}`)?.at(-1)?.value ?? "") === "");
      return unit.type === "path" && unit.file.sections.length > 0 && isEmpty
        ? [
            {
              sectionIndex: ownSectionIndex(unit),
              message: "there is no PathExists= or other path",
            },
          ]
        : [];
    },
  },
  {
    id: "activates-itself",
    severity: "error",
    why: "systemd ignores the line and takes the service of the same name.",
    fix: "Write the name of the unit that shall be started.",
    hits: (unit) => {
      const activated = activatedUnit(unit);
      return activated?.at !== undefined && activated.name === unit.name
        ? [{ at: activated.at, message: `${quoted(activated.at)} is this unit itself` }]
        : [];
    },
  },
  {
    id: "activated-unit-missing",
    severity: "warning",
    why: "A timer, socket or path without the unit that it starts does nothing, or fails when it shall start it.",
    fix: "Deploy the service as well, or write its name with Unit= (in a socket Service=).",
    across: true,
    hits: (unit, set) => {
      const activated = activatedUnit(unit);
      if (activated === undefined || unit.file.sections.length === 0 || mayExist(set, activated.name)) return [];
      const isOther =
        set.byName.has(activated.name.replace(".service", "@.service")) ||
        set.byName.has(activated.name.replace("@.service", ".service"));
      if (unit.type === "socket" && isOther) return [];
      return [
        {
          at: activated.at,
          sectionIndex: ownSectionIndex(unit),
          message: `it starts ${activated.name}, which is none of the given units`,
        },
      ];
    },
  },
  {
    id: "timer-never-starts",
    severity: "warning",
    why: "OnUnitActiveSec= and OnUnitInactiveSec= count from a run of the service; if nothing else starts it once, there is none to count from.",
    fix: "Add OnBootSec= (or OnActiveSec=) for the first run.",
    across: true,
    hits: (unit, set): LintHit[] => {
      const triggers = unit.type === "timer" ? triggersOf(unit) : [];
      const first = triggers[0];
      if (first === undefined || !triggers.every(({ key }) => /^OnUnit/.test(key))) return [];
      const service = unitNamed(set, activatedUnit(unit)?.name ?? "");
      const isStarted =
        service !== undefined &&
        ["WantedBy", "RequiredBy"].some((key) => (service.assignments.get(`Install.${key}`) ?? []).length > 0);
      return isStarted
        ? []
        : [{ at: first, message: `${quoted(first)} alone never begins: it counts from a run that nothing starts` }];
    },
  },
  {
    id: "persistent-without-calendar",
    severity: "warning",
    why: "Persistent= makes up for missed elapses of OnCalendar=; other triggers have nothing to make up for.",
    fix: "Leave Persistent= out, or write OnCalendar=.",
    hits: (unit): LintHit[] => {
      const at = settingOf(unit, "Timer.Persistent");
      const triggers = triggersOf(unit);
      if (at === undefined || !isOn(unit, "Timer.Persistent") || triggers.length === 0) return [];
      return triggers.some(({ key }) => key === "OnCalendar")
        ? []
        : [{ at, message: `${quoted(at)} has no effect without OnCalendar=` }];
    },
  },
  {
    id: "randomized-delay-over-interval",
    severity: "warning",
    why: "A delay longer than the pause between two elapses mixes the runs up, and some of them are lost.",
    fix: "Write a RandomizedDelaySec= well below the interval.",
    hits: (unit): LintHit[] => {
      const at = settingOf(unit, "Timer.RandomizedDelaySec");
      const delay = spanOf(unit, "Timer.RandomizedDelaySec");
      if (at === undefined || delay === undefined) return [];
      const interval = shortestInterval(unit);
      if (interval === undefined || delay <= interval) return [];
      return [
        { at, message: `${quoted(at)} is longer than the pause of ${formattedTimeSpan(interval)} between two runs` },
      ];
    },
  },
  {
    id: "accuracy-over-interval",
    severity: "warning",
    why: "AccuracySec= is 1min by default: a run may be as much late, so short intervals and exact seconds are not kept.",
    fix: "Write AccuracySec=1s, or less.",
    hits: (unit): LintHit[] => {
      if (unit.type !== "timer") return [];
      const accuracy = spanOf(unit, "Timer.AccuracySec") ?? 60 * second;
      const interval = shortestInterval(unit);
      const at = triggersOf(unit).find(({ key }) => /^On(Calendar|Unit)/.test(key));
      if (interval === undefined || at === undefined || interval >= 2 * accuracy) return [];
      const isDefault = settingOf(unit, "Timer.AccuracySec") === undefined;
      const message = `${quoted(at)} runs every ${formattedTimeSpan(interval)}, AccuracySec=${formattedTimeSpan(accuracy)}${isDefault ? " (default)" : ""} may make it that much late`;
      return [{ at: settingOf(unit, "Timer.AccuracySec") ?? at, message }];
    },
  },
  {
    id: "remain-after-exit-with-timer",
    severity: "error",
    why: "A service that stays active after its run cannot be started again: the timer fires and nothing happens.",
    fix: "Leave RemainAfterExit= out.",
    across: true,
    hits: (unit, set): LintHit[] => {
      const at = settingOf(unit, "Service.RemainAfterExit");
      if (!isService(unit) || at === undefined || !isOn(unit, "Service.RemainAfterExit")) return [];
      const timer = activatorsOf(set, unit).find(
        (activator) => activator.type === "timer" && triggersOf(activator).some(repeats),
      );
      return timer === undefined
        ? []
        : [{ at, message: `${quoted(at)}: after its first run ${timer.name} cannot start it again` }];
    },
  },
  {
    id: "timer-service-enabled",
    severity: "warning",
    why: "The [Install] section of the service makes it run at every boot besides, whatever the timer says.",
    fix: "Leave [Install] to the timer.",
    across: true,
    hits: (unit, set): LintHit[] => {
      const at = [
        ...(unit.assignments.get("Install.WantedBy") ?? []),
        ...(unit.assignments.get("Install.RequiredBy") ?? []),
      ][0];
      const timer = activatorsOf(set, unit).find(({ type }) => type === "timer");
      if (!isService(unit) || at === undefined || at.value === "" || timer === undefined) return [];
      if (triggersOf(timer).every(({ key }) => /^OnUnit/.test(key))) return [];
      return [{ at, message: `${quoted(at)}: besides ${timer.name}, every boot starts it` }];
    },
  },
  {
    id: "timer-starts-restarting-service",
    severity: "warning",
    why: "A service that never ends is active when the timer fires, so the timer does nothing.",
    fix: "Leave out Restart=always for a job that a timer runs, or leave out the timer for a server.",
    across: true,
    hits: (unit, set): LintHit[] => {
      const at = settingOf(unit, "Service.Restart");
      if (!isService(unit) || at?.value !== "always" || serviceTypeOf(unit) === "oneshot") return [];
      const timer = activatorsOf(set, unit).find(
        (activator) => activator.type === "timer" && triggersOf(activator).some(repeats),
      );
      return timer === undefined ? [] : [{ at, message: `${quoted(at)}: it is running whenever ${timer.name} fires` }];
    },
  },
];

/** What lets a timer elapse; an empty `On...=` clears all before it. */
export function triggersOf(unit: LintedUnit): readonly Assignment[] {
  const all = triggerDirectives
    .flatMap((key) => unit.assignments.get(`Timer.${key}`) ?? [])
    .toSorted((a, b) => a.sectionIndex - b.sectionIndex || a.entryIndex - b.entryIndex);
  return all.slice(all.findLastIndex(({ value }) => value === "") + 1);
}

function repeats({ key, value }: Assignment): boolean {
  if (/^OnUnit/.test(key)) return true;
  if (key !== "OnCalendar") return false;
  try {
    return parsedCalendar(value).year === undefined;
  } catch (error) {
    if (error instanceof CalendarError) return false;
    throw error;
  }
}

/** The shortest pause between two elapses of the timer that come again and again, in microseconds. */
function shortestInterval(unit: LintedUnit): number | undefined {
  const spans = triggersOf(unit).flatMap(({ key, value }) => {
    if (/^OnUnit/.test(key)) return [spanIn(value)];
    return key === "OnCalendar" && !value.includes("%") ? [calendarInterval(value)] : [];
  });
  const known = spans.filter((span) => span !== undefined && span > 0 && span !== Number.POSITIVE_INFINITY);
  return known.length === 0 ? undefined : Math.min(...known.map(Number));
}

const someMonday = new Date(Date.UTC(2026, 0, 5));

function calendarInterval(expression: string): number | undefined {
  try {
    const times = nextElapses(expression, { after: someMonday, count: 4 }).map((time) => time.getTime());
    const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    return pauses.length === 0 ? undefined : Math.min(...pauses) * 1000;
  } catch (error) {
    if (error instanceof CalendarError) return undefined;
    throw error;
  }
}
