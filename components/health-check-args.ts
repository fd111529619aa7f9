import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { parsedTimeSpan, timeSpanProblem } from "../systemd/values/time-span.ts";
import { calendar, sectionDirectives, unitReference } from "./argument-schema.ts";
import type { UnitReference } from "./definition.ts";
import { everyProblem } from "./health-check-schedule.ts";
import { anySpan, type HealthProbesArgs, healthProbesShape, spanOf } from "./health-probe-args.ts";
import type { NotifierReference } from "./notifier-args.ts";
import type { ServiceSectionArgs, TimerSectionArgs } from "./section-args.generated.ts";
import { type WaiverArgs, waivers } from "./waiver.ts";

/** What is done about a unit that is not well: one rung of a check's ladder. */
export const HealthAction = {
  /** Restart the unit, and it alone. */
  Restart: "restart",
  /** Have the unit read its configuration again. It must have `ExecReload=`. */
  Reload: "reload",
  /** Start the unit that `hook` names and wait for its end: a oneshot that does what must be done. */
  Hook: "hook",
  /**
   * Go back to the generation before the update that brought the unit, when that came less than `rollbackWithinSec` ago:
   * what `pulumi-systemd-host rollback` does. Updates are then held off for 12 hours. It goes back once, never further.
   */
  Rollback: "rollback",
} as const;
export type HealthAction = (typeof HealthAction)[keyof typeof HealthAction];

/** One check: a unit or anything else that can be probed, and how far one may go about it. */
export interface HealthTestArgs extends HealthProbesArgs {
  /** The unit that is watched and acted on. Without it, only probes are made and only `hook` can be done. Default: none. */
  unit?: UnitReference;
  /**
   * The timer whose runs are watched: one that does not take place, fails, or does not end in time is told, and so is the
   * next that does well. When they are due, systemd says from the timer itself. Not beside `unit`. Default: none.
   */
  runsOf?: UnitReference;
  /**
   * Whether the probes are the health gate of a deploy too: an update that changes the unit goes back when they are not
   * well within `graceSec`, a minute at least. Default: false.
   */
  gate?: pulumi.Input<boolean>;
  /** Time in which each probe must have answered, a time span. Default: `5s`. */
  timeoutSec?: pulumi.Input<string>;
  /** Checks of the same component, by their names there, that must be well first: the root cause is treated. Default: none. */
  dependsOn?: pulumi.Input<pulumi.Input<string>[]>;
  /** Failed checks after which something is done: so many of the last `failOf`. Default: 2, or 1 with `runsOf`. */
  failAfter?: pulumi.Input<number>;
  /** Checks among which `failAfter` are counted. Default: `failAfter`, so they must fail in a row. */
  failOf?: pulumi.Input<number>;
  /**
   * Time after any start of the unit, and after what it depends on was not well, in which a failed check does not count, a time
   * span; with `runsOf`, how late a run may be.
   * Default: `30s`, or `10min` with `runsOf`.
   */
  graceSec?: pulumi.Input<string>;
  /** What is done, one after the other; the last is done again. An empty list only tells. Default: `restart`, with a unit. */
  actions?: pulumi.Input<pulumi.Input<HealthAction>[]>;
  /** The unit that the action `hook` starts: a oneshot with the privileges that it needs. Default: none. */
  hook?: UnitReference;
  /** How new an update must be for the action `rollback`, a time span: what ran well for long is not at fault. Default: `1h`. */
  rollbackWithinSec?: pulumi.Input<string>;
  /** Actions within `withinSec`; 0 only tells. Default: 3. */
  maxActions?: pulumi.Input<number>;
  /** Length of the sliding window in which `maxActions` counts, a time span; it goes on over reboots. Default: `1h`. */
  withinSec?: pulumi.Input<string>;
  /** Pause after an action before the next one, doubled by each action, a little longer by chance; a time span. Default: `1min`. */
  backoffSec?: pulumi.Input<string>;
  /** Longest such pause, a time span. Default: `30min`. */
  backoffMaxSec?: pulumi.Input<string>;
  /** Time after the budget was used up in which nothing is done; then one action is tried. Default: `withinSec`. */
  halfOpenAfterSec?: pulumi.Input<string>;
  /** Pause between two reminders of an outage, a time span; 0 reminds never. Default: `4h`. */
  remindEverySec?: pulumi.Input<string>;
  /** Time for which it must be well until the ladder and the pauses begin anew, a time span. Default: `10min`. */
  stableForSec?: pulumi.Input<string>;
}

/** Arguments of `HealthCheck`: one check, or several under `checks`; what is given beside `checks` is their default. */
export interface HealthCheckArgs extends HealthTestArgs {
  /** Several checks with one schedule, by their names. Default: one check, given beside. */
  checks?: { [name: string]: HealthTestArgs };
  /** Pause between two checks: a time span of which a minute, an hour or a day is a multiple. Default: `1min`, or none where `onCalendar` is given. */
  everySec?: pulumi.Input<string>;
  /** Wall-clock times of checks, in the grammar of systemd.time(7). Default: none. */
  onCalendar?: pulumi.Input<pulumi.Input<string>[]>;
  /** Who is told of outages, of a budget that is used up, and of recoveries. They go to the same hosts. Default: nobody. */
  notify?: NotifierReference[];
  /**
   * Whether what is told goes to `/var/log/pulumi-systemd-health/NAME.log` as well, which logrotate turns over each week.
   * Default: false, the journal alone.
   */
  logFile?: pulumi.Input<boolean>;
  /** One line for people. Default: `Health check NAME`. */
  description?: pulumi.Input<string>;
  /**
   * Any directive of [Service] by its systemd name. The check then runs in a process of its own, `NAME.service`, with
   * these. Default: none, so that all checks of a host share one process.
   */
  service?: pulumi.Input<ServiceSectionArgs>;
  /** Any directive of [Timer] by its systemd name. Default: none. */
  timer?: pulumi.Input<TimerSectionArgs>;
  /** Lints and policies that the check's own units may break until a date, each with a reason. Default: none. */
  waive?: pulumi.Input<pulumi.Input<WaiverArgs>[]>;
}

const timerReference = unitReference.refine(({ unitName }) => unitName.endsWith(".timer"), {
  error: "is no timer; give a Timer, or the file name of one such as nightly.timer",
});

const healthTestShape = {
  ...healthProbesShape,
  unit: unitReference
    .refine(({ unitName }) => !unitName.includes("@."), {
      path: ["unitName"],
      error: "is a template, which itself never runs; name one of its instances, such as `api@1.service`",
    })
    .optional(),
  runsOf: timerReference.optional(),
  gate: z.boolean().optional(),
  timeoutSec: spanOf(0.001, "a time span above 0").optional(),
  dependsOn: z.array(z.string()).optional(),
  failAfter: z.number().int().min(1).max(1000).optional(),
  failOf: z.number().int().min(1).max(1000).optional(),
  graceSec: anySpan.optional(),
  actions: z.array(z.enum(["restart", "reload", "hook", "rollback"])).optional(),
  hook: unitReference.optional(),
  rollbackWithinSec: spanOf(1, "a time span of at least 1 s").optional(),
  maxActions: z.number().int().min(0).max(1000).optional(),
  withinSec: spanOf(1, "a time span of at least 1 s").optional(),
  backoffSec: anySpan.optional(),
  backoffMaxSec: anySpan.optional(),
  halfOpenAfterSec: anySpan.optional(),
  remindEverySec: anySpan.optional(),
  stableForSec: anySpan.optional(),
};

/** `HealthTestArgs` after all Outputs are known. */
const healthTestSchema = z.strictObject(healthTestShape);
export type HealthTestPlain = z.infer<typeof healthTestSchema>;

const every = spanOf(1, "a time span of at least 1 s").superRefine((text, context) => {
  if (timeSpanProblem(text) !== undefined) return;
  const problem = everyProblem(parsedTimeSpan(text) / 1e6);
  if (problem !== undefined) context.addIssue({ code: "custom", message: `${JSON.stringify(text)} ${problem}` });
});

/** A check's name within its component. */
const checkName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, {
  error: ({ input }) => `${JSON.stringify(input)} is no name of a check; use letters, digits and . _ -`,
});

/** `HealthCheckArgs` after all Outputs are known; `notify` by names. */
export const healthCheckSchema = z.strictObject({
  ...healthTestShape,
  checks: z.record(checkName, healthTestSchema).optional(),
  everySec: every.optional(),
  onCalendar: z.preprocess((value) => (typeof value === "string" ? [value] : value), z.array(calendar).optional()),
  notify: z.array(z.string()).optional(),
  logFile: z.boolean().optional(),
  description: z.string().optional(),
  service: sectionDirectives("service", "Service").optional(),
  timer: sectionDirectives("timer", "Timer").optional(),
  waive: waivers.optional(),
});

export type HealthCheckPlain = z.infer<typeof healthCheckSchema>;
