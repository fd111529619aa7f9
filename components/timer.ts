import * as pulumi from "@pulumi/pulumi";
import { reported, validArguments } from "./argument-error.ts";
import { componentNameProblem } from "./argument-schema.ts";
import { built, joined, mapped, outputOf, whenKnown } from "./deferred.ts";
import type { Definition } from "./definition.ts";
import { PythonService } from "./python-service.ts";
import { Service } from "./service.ts";
import { ServiceType } from "./service-args.ts";
import { type TimerArgs, timerSchema } from "./timer-args.ts";
import { dueSections, dueServiceName, scheduleNotes, timerSections } from "./timer-sections.ts";
import { Unit, unitArgsOf } from "./unit.ts";
import { waivedSections } from "./waiver.ts";

/**
 * A service that runs at given times. Two runs never overlap, also when a person starts one: `onOverlap` says what becomes
 * of one that is due meanwhile. Adding a timer whose times are calendars runs nothing at once.
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
  const run = service ?? pythonService;
  if (run?.instances !== undefined || run?.instanceNames !== undefined) {
    throw new Error("service.instances: a timer starts one service; define it apart, and a timer for each `starts`");
  }
  const isQueued = args.onOverlap === "queue";
  checkRun(args, isQueued);

  const parent = { parent: timer };
  const oneshot = { type: ServiceType.Oneshot, onDemand: true };
  const bound = runType(args) === "oneshot" ? { timeoutStartSec: args.timeoutSec ?? "1d" } : {};
  const inline =
    service !== undefined
      ? new Service(name, { ...oneshot, ...bound, ...service }, parent)
      : pythonService !== undefined
        ? new PythonService(name, { ...oneshot, ...bound, ...pythonService }, parent)
        : undefined;

  const work = starts?.unitName ?? `${name}.service`;
  const valid = built({ ...own, starts: { unitName: work } }, (plain) =>
    reported(timer, name, () => validArguments(timerSchema, plain)),
  );
  whenKnown(mapped(valid, scheduleNotes), (notes) => {
    for (const note of notes) void pulumi.log.info(`${timer.unitName}: ${note}`, timer);
  });
  const sections = mapped(valid, (known) => {
    const started = isQueued ? dueServiceName(name) : (known.starts?.unitName ?? `${name}.service`);
    return reported(timer, name, () => waivedSections(timerSections(name, started, known), known.waive));
  });
  const unit = new Unit(timer.unitName, unitArgsOf(sections, ["Unit", "Timer", "Install", "waive"]), parent);
  const due = isQueued
    ? new Unit(
        dueServiceName(name),
        unitArgsOf({ ...dueSections(name), onDemand: true }, ["Unit", "Service", "onDemand"]),
        parent,
      )
    : undefined;
  const all = joined([unit.definition, inline?.definition, due?.definition]);
  return outputOf(mapped(all, ([own, service, queue]) => withTrigger(timer.unitName, own, [service, queue])));
}

/** `Type=` of the service that is given inline, as far as it is known now. */
function runType({ service, pythonService }: TimerArgs): unknown {
  return (service ?? pythonService)?.type ?? ServiceType.Oneshot;
}

/** Refuses what can only be said of a service that is given here and ends by itself. */
function checkRun(args: TimerArgs, isQueued: boolean): void {
  const said = [...(args.timeoutSec === undefined ? [] : ["timeoutSec"]), ...(isQueued ? ["onOverlap: queue"] : [])];
  if (said.length === 0) return;
  if (args.starts !== undefined) {
    throw new Error(
      `${said.join(", ")}: is about the service, which is defined elsewhere (starts); give the service here, or for a bound its timeoutStartSec there`,
    );
  }
  const type = runType(args);
  if (type !== ServiceType.Oneshot) {
    throw new Error(
      `${said.join(", ")}: needs a service of type oneshot, whose start is its whole run; received type ${JSON.stringify(type)}; for a bound of another type, give service.RuntimeMaxSec`,
    );
  }
}

function withTrigger(trigger: string, own: Definition, started: readonly (Definition | undefined)[]): Definition {
  const given = started.filter((definition) => definition !== undefined);
  return {
    units: [
      ...own.units,
      ...given.flatMap(({ units }) => units).map((unit) => ({ ...unit, triggeredBy: [...unit.triggeredBy, trigger] })),
    ],
    files: [...own.files, ...given.flatMap(({ files }) => files)],
    users: [...own.users, ...given.flatMap(({ users }) => users)],
    releases: [...own.releases, ...given.flatMap(({ releases }) => releases)],
    hooks: given.flatMap(({ hooks = [] }) => hooks),
    gates: given.flatMap(({ gates = [] }) => gates),
  };
}
