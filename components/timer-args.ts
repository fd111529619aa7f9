import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { calendarProblem } from "../systemd/calendar.ts";
import { CronError, onCalendarOfCron } from "../systemd/cron.ts";
import { calendar, sectionDirectives, timeSpan, unitReference } from "./argument-schema.ts";
import type { UnitReference } from "./definition.ts";
import type { PythonServiceArgs } from "./python-service.ts";
import type { InstallSectionArgs, TimerSectionArgs, UnitSectionArgs } from "./section-args.generated.ts";
import type { ServiceArgs } from "./service.ts";
import { type WaiverArgs, waivers } from "./waiver.ts";

/** What becomes of a run that is due while the one before still runs. Two runs never overlap. */
export const OnOverlap = {
  /** It does not take place: what systemd does by itself. */
  Skip: "skip",
  /** It takes place as soon as the one before has ended; of several that are due in that time, one does. */
  Queue: "queue",
} as const;
export type OnOverlap = (typeof OnOverlap)[keyof typeof OnOverlap];

/** Several wall-clock times, as calendar expressions or as a crontab has them. */
export interface TimerScheduleArgs {
  /**
   * Schedules of crontab(5), one a line: five fields (`*\/15 * * * *`) or a macro (`@daily`), without a command. The preview
   * says which `OnCalendar=` they are. Default: none.
   */
  cron?: pulumi.Input<string>;
  /** Several expressions in the grammar of systemd.time(7): `["Mon 07:30", "Mon 08:30"]`. Default: none. */
  onCalendar?: pulumi.Input<pulumi.Input<string>[]>;
  /** Time zone of all that name none, such as `Europe/Berlin`. Default: the host's own. */
  timeZone?: pulumi.Input<string>;
}

/** Arguments of `Timer`. At least one trigger, and exactly one of `service`, `pythonService` and `starts`. */
export interface TimerArgs {
  /** Wall-clock times, in the grammar of systemd.time(7): `*-*-* 03:00:00`, `Mon..Fri 09:00`, `hourly UTC`. Default: none. */
  onCalendar?: pulumi.Input<string>;
  /** Several such expressions, a crontab's schedules, a time zone for all of them. Default: none. */
  schedule?: pulumi.Input<TimerScheduleArgs>;
  /** Time after the host has booted, a time span. On a host that has been up for longer, it fires when it is deployed. Default: none. */
  onBootSec?: pulumi.Input<string>;
  /** Time after systemd itself was started, a time span; as `onBootSec` but for the time in the initrd. Default: none. */
  onStartupSec?: pulumi.Input<string>;
  /** Time after the service was last started, a time span. When it is the only trigger, it also counts from the timer's own start. Default: none. */
  onUnitActiveSec?: pulumi.Input<string>;
  /** Time after the service last ended, a time span. When it is the only trigger, it also counts from the timer's own start. Default: none. */
  onUnitInactiveSec?: pulumi.Input<string>;
  /** Time after the timer itself was started, a time span. Default: none. */
  onActiveSec?: pulumi.Input<string>;
  /** Longest random delay of each run, so that many hosts do not fire at once; a time span. Default: none. */
  randomizedDelaySec?: pulumi.Input<string>;
  /** Whether a host draws its random delay once and for all, so that its runs are evenly spaced. Default: false. */
  fixedRandomDelay?: pulumi.Input<boolean>;
  /** How much later than its time a run may be, a time span. Default: `1s`. */
  accuracySec?: pulumi.Input<string>;
  /** Whether a calendar run that was missed while the host was off is made up for at boot. Default: false. */
  persistent?: pulumi.Input<boolean>;
  /** What becomes of a run that is due while the one before still runs. Default: `skip`. */
  onOverlap?: OnOverlap;
  /**
   * Longest run of the service that is given here, a time span; then it is ended and counts as failed. Without a bound, a run
   * that hangs would silently cost all later ones. Default: `1d`.
   */
  timeoutSec?: pulumi.Input<string>;
  /** One line for people. Default: the name of the timer. */
  description?: pulumi.Input<string>;
  /** The service that runs, given here: its name is the timer's, its type `oneshot` unless said. Default: none. */
  service?: ServiceArgs;
  /** The same for a program written in Python. Default: none. */
  pythonService?: PythonServiceArgs;
  /** A service that is defined elsewhere. Default: none. */
  starts?: UnitReference;
  /** Any directive of [Timer] by its systemd name. Default: none. */
  timer?: pulumi.Input<TimerSectionArgs>;
  /** Any directive of [Unit] by its systemd name. Default: none. */
  unit?: pulumi.Input<UnitSectionArgs>;
  /** Any directive of [Install] by its systemd name. Default: `WantedBy=timers.target`. */
  install?: pulumi.Input<InstallSectionArgs>;
  /** Lints and policies that the timer itself may break until a date, each with a reason. What its service may break is said there. Default: none. */
  waive?: pulumi.Input<pulumi.Input<WaiverArgs>[]>;
}

const triggers = [
  "onCalendar",
  "schedule",
  "onBootSec",
  "onStartupSec",
  "onUnitActiveSec",
  "onUnitInactiveSec",
  "onActiveSec",
] as const;

/** Directives of [Timer] that make it elapse. */
const triggerDirectives = [
  "OnCalendar",
  "OnBootSec",
  "OnStartupSec",
  "OnUnitActiveSec",
  "OnUnitInactiveSec",
  "OnActiveSec",
  "OnClockChange",
  "OnTimezoneChange",
];

/** The schedules of a crontab, one a line, without its empty lines. */
export function cronLines(cron: string): string[] {
  return cron
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

function cronProblem(line: string): string | undefined {
  try {
    const { onCalendar } = onCalendarOfCron(line);
    if (onCalendar.length > 0) return onCalendar.map(calendarProblem).find((problem) => problem !== undefined);
    return `${line} is no time of day, and no calendar of systemd can say it; for a run at each boot, give the service without a timer (it starts at boot), or onBootSec`;
  } catch (error) {
    if (error instanceof CronError) return error.message;
    throw error;
  }
}

const schedule = z
  .strictObject({
    cron: z
      .string()
      .superRefine((text, context) => {
        const problem = cronLines(text)
          .map(cronProblem)
          .find((found) => found !== undefined);
        if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
      })
      .optional(),
    onCalendar: z.array(calendar).optional(),
    timeZone: z
      .string()
      .superRefine((zone, context) => {
        if (calendarProblem(`*-*-* 12:00:00 ${zone}`) === undefined) return;
        context.addIssue({
          code: "custom",
          message: `${JSON.stringify(zone)} is no time zone; write a name of the tz database such as Europe/Berlin, or UTC`,
        });
      })
      .optional(),
  })
  .superRefine((args, context) => {
    if (cronLines(args.cron ?? "").length + (args.onCalendar ?? []).length > 0) return;
    context.addIssue({ code: "custom", message: "has no time; give cron or onCalendar" });
  });

export type TimerSchedulePlain = z.infer<typeof schedule>;

/** The timer's own `TimerArgs` after all Outputs are known; its service is checked by its own component. */
export const timerSchema = z
  .strictObject({
    onCalendar: calendar.optional(),
    schedule: schedule.optional(),
    onBootSec: timeSpan.optional(),
    onStartupSec: timeSpan.optional(),
    onUnitActiveSec: timeSpan.optional(),
    onUnitInactiveSec: timeSpan.optional(),
    onActiveSec: timeSpan.optional(),
    randomizedDelaySec: timeSpan.optional(),
    fixedRandomDelay: z.boolean().optional(),
    accuracySec: timeSpan.optional(),
    persistent: z.boolean().optional(),
    onOverlap: z.enum(["skip", "queue"]).optional(),
    timeoutSec: timeSpan.optional(),
    description: z.string().optional(),
    starts: unitReference.optional(),
    timer: sectionDirectives("timer", "Timer").optional(),
    unit: sectionDirectives("timer", "Unit").optional(),
    install: sectionDirectives("timer", "Install").optional(),
    waive: waivers.optional(),
  })
  .superRefine((args, context) => {
    const raw = Object.keys(args.timer ?? {});
    if (!triggers.some((key) => args[key] !== undefined) && !raw.some((key) => triggerDirectives.includes(key))) {
      context.addIssue({ code: "custom", message: `has no trigger; give at least one of ${triggers.join(", ")}` });
    }
    if (args.fixedRandomDelay === true && args.randomizedDelaySec === undefined) {
      context.addIssue({
        code: "custom",
        path: ["fixedRandomDelay"],
        message: "fixes a delay that is not given; add randomizedDelaySec",
      });
    }
  });

export type TimerPlain = z.infer<typeof timerSchema>;
