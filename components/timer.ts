import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { calendarWarnings } from "../systemd/calendar.ts";
import { mergedSections } from "../systemd/sections.ts";
import { escapedSpecifiers } from "../systemd/specifiers.ts";
import { reported, validArguments } from "./argument-error.ts";
import { calendar, componentNameProblem, sectionDirectives, timeSpan, unitReference } from "./argument-schema.ts";
import { built, mapped, outputOf } from "./deferred.ts";
import type { Definition, UnitReference } from "./definition.ts";
import type { PythonServiceArgs } from "./python-service.ts";
import { PythonService } from "./python-service.ts";
import type { InstallSectionArgs, TimerSectionArgs, UnitSectionArgs } from "./section-args.generated.ts";
import type { ServiceArgs } from "./service.ts";
import { Service } from "./service.ts";
import { ServiceType } from "./service-args.ts";
import { Unit, unitArgsOf } from "./unit.ts";
import { type WaiverArgs, waivedSections, waivers } from "./waiver.ts";

/** Arguments of `Timer`. At least one trigger, and exactly one of `service`, `pythonService` and `starts`. */
export interface TimerArgs {
  /** Wall-clock times, in the grammar of systemd.time(7): `*-*-* 03:00:00`, `Mon..Fri 09:00`, `hourly UTC`. Default: none. */
  onCalendar?: pulumi.Input<string>;
  /** Time after the host has booted, a time span. Default: none. */
  onBootSec?: pulumi.Input<string>;
  /** Time after the service was last started, a time span. Give `onBootSec` or `onActiveSec` for its first run. Default: none. */
  onUnitActiveSec?: pulumi.Input<string>;
  /** Time after the service last ended, a time span. Give `onBootSec` or `onActiveSec` for its first run. Default: none. */
  onUnitInactiveSec?: pulumi.Input<string>;
  /** Time after the timer itself was started, a time span. Default: none. */
  onActiveSec?: pulumi.Input<string>;
  /** Longest random delay of each run, so that many hosts do not fire at once; a time span. Default: none. */
  randomizedDelaySec?: pulumi.Input<string>;
  /** How much later than its time a run may be, a time span. Default: `1s`. */
  accuracySec?: pulumi.Input<string>;
  /** Whether a calendar run that was missed while the host was off is made up for at boot. Default: false. */
  persistent?: pulumi.Input<boolean>;
  /** One line for people. Default: the name of the timer. */
  description?: pulumi.Input<string>;
  /** The service that runs, given here: its name is the timer's, its type `oneshot` unless said. Default: none. */
  service?: ServiceArgs;
  /** The same for a program written in Python. Default: none. */
  pythonService?: PythonServiceArgs;
  /** A service that is defined elsewhere. Default: none. */
  starts?: UnitReference;
  /** Any directive of [Timer] by its systemd name, such as several calendars: `OnCalendar: ["Mon 07:30", "Mon 08:00"]`. */
  timer?: pulumi.Input<TimerSectionArgs>;
  /** Any directive of [Unit] by its systemd name. Default: none. */
  unit?: pulumi.Input<UnitSectionArgs>;
  /** Any directive of [Install] by its systemd name. Default: `WantedBy=timers.target`. */
  install?: pulumi.Input<InstallSectionArgs>;
  /** Lints and policies that the timer itself may break until a date, each with a reason. What its service may break is said there. Default: none. */
  waive?: pulumi.Input<pulumi.Input<WaiverArgs>[]>;
}

const triggers = ["onCalendar", "onBootSec", "onUnitActiveSec", "onUnitInactiveSec", "onActiveSec"] as const;
const triggerDirectives = [
  "OnCalendar",
  "OnBootSec",
  "OnUnitActiveSec",
  "OnUnitInactiveSec",
  "OnActiveSec",
  "OnStartupSec",
];

/** The timer's own `TimerArgs` after all Outputs are known; its service is checked by its own component. */
export const timerSchema = z
  .strictObject({
    onCalendar: calendar.optional(),
    onBootSec: timeSpan.optional(),
    onUnitActiveSec: timeSpan.optional(),
    onUnitInactiveSec: timeSpan.optional(),
    onActiveSec: timeSpan.optional(),
    randomizedDelaySec: timeSpan.optional(),
    accuracySec: timeSpan.optional(),
    persistent: z.boolean().optional(),
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
  });

type TimerPlain = z.infer<typeof timerSchema>;

/** The sections of a timer unit. Follows systemd.timer(5). */
export function timerSections(name: string, service: string, args: TimerPlain) {
  return mergedSections(
    {
      Unit: { Description: escapedSpecifiers(args.description ?? name) },
      Timer: {
        OnCalendar: args.onCalendar === undefined ? undefined : [args.onCalendar],
        OnBootSec: args.onBootSec === undefined ? undefined : [args.onBootSec],
        OnUnitActiveSec: args.onUnitActiveSec === undefined ? undefined : [args.onUnitActiveSec],
        OnUnitInactiveSec: args.onUnitInactiveSec === undefined ? undefined : [args.onUnitInactiveSec],
        OnActiveSec: args.onActiveSec === undefined ? undefined : [args.onActiveSec],
        RandomizedDelaySec: args.randomizedDelaySec,
        AccuracySec: args.accuracySec ?? "1s",
        Persistent: args.persistent,
        Unit: service,
      },
      Install: { WantedBy: "timers.target" },
    },
    { Unit: args.unit, Timer: args.timer, Install: args.install },
  );
}

/**
 * A service that runs at given times. A run never overlaps the one before: systemd starts nothing while the service runs.
 * Adding a timer runs nothing at once.
 *
 * @example
 * ```ts
 * const nightly = new Timer("nightly", {
 *   onCalendar: "*-*-* 03:00:00",
 *   randomizedDelaySec: "10min",
 *   persistent: true,
 *   service: { exec: ["/usr/local/bin/cleanup"], user: "cleanup", createUser: true },
 * });
 * ```
 */
export class Timer extends pulumi.ComponentResource {
  static readonly __pulumiType = "systemd:index:Timer";

  /** File name of the unit: `NAME.timer`. */
  readonly unitName: string;
  /** What a Host needs of this timer and its service. */
  readonly definition: pulumi.Output<Definition>;

  /** @throws pulumi.ResourceError naming the argument or directive, what was received, and what is accepted */
  constructor(name: string, args: TimerArgs, opts?: pulumi.ComponentResourceOptions) {
    super(Timer.__pulumiType, name, {}, opts);
    this.unitName = `${name}.timer`;
    this.definition = reported(this, name, () => timerDefinition(this, name, args));
    this.registerOutputs({ unitName: this.unitName });
  }
}

function timerDefinition(timer: Timer, name: string, args: TimerArgs): pulumi.Output<Definition> {
  const { service, pythonService, starts, ...own } = args;
  const given = [service, pythonService, starts].filter((value) => value !== undefined);
  if (given.length !== 1) {
    throw new Error(
      `service, pythonService, starts: ${given.length === 0 ? "none" : "more than one"} is given; exactly one says what the timer runs`,
    );
  }
  const nameProblem = componentNameProblem(name, ".timer");
  if (nameProblem !== undefined) throw new Error(nameProblem);

  const parent = { parent: timer };
  const oneshot = { type: ServiceType.Oneshot, onDemand: true };
  const inline =
    service !== undefined
      ? new Service(name, { ...oneshot, ...service }, parent)
      : pythonService !== undefined
        ? new PythonService(name, { ...oneshot, ...pythonService }, parent)
        : undefined;

  const started = starts?.unitName ?? `${name}.service`;
  const sections = built({ ...own, starts: { unitName: started } }, (plain) =>
    reported(timer, name, () => {
      const valid = validArguments(timerSchema, plain);
      return waivedSections(timerSections(name, valid.starts?.unitName ?? `${name}.service`, valid), valid.waive);
    }),
  );
  const calendars = mapped(sections, ({ Timer }) => [Timer?.OnCalendar ?? []].flat().map(String));
  outputOf(calendars).apply((expressions) => {
    for (const warning of expressions.filter((text) => text !== "").flatMap(calendarWarnings)) {
      void pulumi.log.warn(`${timer.unitName}: ${warning}`, timer);
    }
  });
  const unit = new Unit(timer.unitName, unitArgsOf(sections, ["Unit", "Timer", "Install", "waive"]), parent);
  return pulumi
    .all([unit.definition, inline?.definition])
    .apply(([own, service]) => withTrigger(timer.unitName, own, service));
}

function withTrigger(trigger: string, own: Definition, service: Definition | undefined): Definition {
  if (service === undefined) return own;
  return {
    ...service,
    units: [...own.units, ...service.units.map((unit) => ({ ...unit, triggeredBy: [...unit.triggeredBy, trigger] }))],
  };
}
