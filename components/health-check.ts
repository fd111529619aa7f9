import * as pulumi from "@pulumi/pulumi";
import { healthProgram } from "../activation/health/program.ts";
import { reported, validArguments } from "./argument-error.ts";
import { componentNameProblem } from "./argument-schema.ts";
import { built, type Deferrable, joined, mapped, outputOf } from "./deferred.ts";
import type { DefinedFile, Definition } from "./definition.ts";
import type { HealthCheckArgs, HealthCheckPlain, HealthTestArgs } from "./health-check-args.ts";
import { healthCheckSchema } from "./health-check-args.ts";
import {
  commonHealthService,
  type HealthSettings,
  healthProgramPath,
  healthScope,
  healthServiceName,
  healthServiceSections,
  healthSettings,
  healthSettingsPath,
  healthTimerSections,
  logRotation,
  logRotationPath,
} from "./health-check-sections.ts";
import { checkGates, confidentialProbes } from "./health-gate.ts";
import type { NotifierReference } from "./notifier-args.ts";
import { Unit, unitArgsOf } from "./unit.ts";
import { waivedSections } from "./waiver.ts";

export type { HealthCheckArgs, HealthTestArgs } from "./health-check-args.ts";
export { HealthAction, healthCheckSchema } from "./health-check-args.ts";
export type {
  CommandProbeArgs,
  DiskProbeArgs,
  FileProbeArgs,
  HealthProbesArgs,
  HttpProbeArgs,
  MemoryProbeArgs,
  TcpProbeArgs,
  UnixSocketProbeArgs,
} from "./health-probe-args.ts";

/**
 * Checks on a timer, that treat what is not well within a budget. A check looks at a unit, at probes (HTTP, TCP, a socket,
 * a program, the freshness of a file, room on a disk, memory of a unit), or at both. When `failAfter` of the last `failOf`
 * checks failed, the first of `actions` is done, then the next: reload, restart that unit and it alone, start a `hook`. At
 * most `maxActions` within `withinSec`, each after a longer pause. A budget that is used up is told once; after
 * `halfOpenAfterSec` one action is tried, and so on until the unit is well, which is told as well. A unit that systemd
 * restarts without end is told, and left to systemd.
 *
 * It never acts on a unit that a person stopped, that systemd is about to restart or has a job for, that depends on
 * something that is not well (`dependsOn`), while the system goes down, during an update of the host, or while a person or
 * a lease holds it: `/run/pulumi-systemd/lease` with the Unix time in seconds at which it ends, a day after it was written
 * at the latest. `Restart=` of the unit is for what crashes; this is for what runs and does not work.
 *
 * All checks of a stack on a host run in one process without a daemon, `pulumi-systemd-health-PROJECT-STACK.service`; one
 * with `service` directives has a process of its own. What they find is in the journal, also in that of the unit, with the
 * fields `PULUMI_SYSTEMD_CHECK` and `PULUMI_SYSTEMD_EVENT`. That service fails when a check could not be made (a program is
 * missing, systemd does not answer): such a check says nothing about its unit, and is told once as well.
 *
 * With `runsOf` it watches the runs of a timer: those that do not take place, fail, or do not end in time are told.
 *
 * @example
 * ```ts
 * const watch = new HealthCheck("shop", {
 *   checks: {
 *     database: { unit: { unitName: "postgresql.service" }, tcp: { port: 5432 } },
 *     api: { unit: api, http: { url: "http://127.0.0.1:8000/healthz", contains: "ok" }, dependsOn: ["database"] },
 *   },
 *   everySec: "30s",
 *   notify: [ops],
 * });
 * ```
 */
export class HealthCheck extends pulumi.ComponentResource {
  static readonly __pulumiType = "systemd:index:HealthCheck";

  /** File name of the unit that makes it due: `NAME.timer`. */
  readonly unitName: string;
  /** What a Host needs of this check. */
  readonly definition: pulumi.Output<Definition>;

  /** @throws pulumi.ResourceError naming the argument or directive, what was received, and what is accepted */
  constructor(name: string, args: HealthCheckArgs, opts?: pulumi.ComponentResourceOptions) {
    const scope = healthScope(pulumi.getProject(), pulumi.getStack());
    let settings: pulumi.Output<HealthSettings> | undefined;
    let problem: unknown;
    try {
      settings = checkedSettings(scope, name, args);
    } catch (error) {
      problem = error;
    }
    // A reviewer sees a changed probe or limit here: the settings are no unit.
    super(HealthCheck.__pulumiType, name, settings === undefined ? {} : { settings }, opts);
    this.unitName = `${name}.timer`;
    this.definition = reported(this, name, () => {
      if (settings === undefined) throw problem;
      return healthDefinition(this, scope, name, args, settings);
    });
    this.registerOutputs({ unitName: this.unitName });
  }
}

/** The name is part of paths, and of StateDirectory=, where `:` and `\` have a meaning. */
const nameForm = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** @throws Error at once for what is known now; what is wrong in an Output fails the settings */
function checkedSettings(scope: string, name: string, args: HealthCheckArgs): pulumi.Output<HealthSettings> {
  const nameProblem = componentNameProblem(name, ".service");
  if (nameProblem !== undefined) throw new Error(nameProblem);
  if (!nameForm.test(name)) {
    throw new Error(`${JSON.stringify(name)} is no name of a health check; use letters, digits and . _ -`);
  }
  const settings = outputOf(
    built(plainArguments(args), (plain) => healthSettings(scope, name, validArguments(healthCheckSchema, plain))),
  );
  const tests: [string, HealthTestArgs][] = args.checks === undefined ? [["", args]] : Object.entries(args.checks);
  const secrets = joined(
    tests.map(([key, test]) => confidentialProbes(name, key === "" ? "" : `checks.${key}.`, test)),
  );
  return outputOf(joined([settings, secrets])).apply(([known, hidden]) => ({
    ...known,
    checks: known.checks.map((check, index) => ({ ...check, confidential: hidden[index] ?? false })),
  }));
}

/** A reference may be a whole component, of which only the name is wanted. */
function plainArguments({ notify, checks, ...args }: HealthCheckArgs) {
  return {
    ...plainTest(args),
    ...(notify === undefined ? {} : { notify: notify.map(notifierName) }),
    ...(checks === undefined
      ? {}
      : { checks: Object.fromEntries(Object.entries(checks).map(([key, test]) => [key, plainTest(test)])) }),
  };
}

function plainTest<T extends HealthTestArgs>(test: T) {
  if (typeof test !== "object" || test === null) return test;
  const references = (["unit", "hook", "active", "runsOf"] as const).flatMap((field) => {
    const unitName = test[field]?.unitName;
    return unitName === undefined ? [] : [[field, { unitName }]];
  });
  return { ...test, ...Object.fromEntries(references) };
}

function notifierName(notifier: NotifierReference): string {
  return notifier.unitName.replace(/\.service$/, "");
}

function healthDefinition(
  check: HealthCheck,
  scope: string,
  name: string,
  args: HealthCheckArgs,
  settings: pulumi.Output<HealthSettings>,
): pulumi.Output<Definition> {
  // A secret URL is no part of a unit, so the units are built without the checks.
  const { everySec, onCalendar, description, service, timer, waive } = args;
  const scheduling = { everySec, onCalendar, description, service, timer, waive };
  const plan = built(scheduling, (plain) => validArguments(healthCheckSchema, plain));
  const timed = new Unit(
    check.unitName,
    unitArgsOf(
      mapped(plan, (known) => {
        return waivedSections(healthTimerSections(name, healthServiceName(scope, name, known), known), known.waive);
      }),
      ["Unit", "Timer", "Install", "waive"],
    ),
    { parent: check },
  );
  const serving = service === undefined ? commonService(check, scope) : ownService(check, scope, name, plan);
  const told = (args.notify ?? []).map(({ definition }) => outputOf<Definition>(definition));
  const asked = outputOf(built(plainArguments(args), (plain) => validArguments(healthCheckSchema, plain)));
  const gates = outputOf(joined([asked, settings])).apply(([plain, known]) => checkGates(plain, known));
  const all = joined([timed.definition, serving.definition, settings, joined(told), gates]);
  const definition = mapped(all, ([own, common, known, notifiers, defined]) => ({
    units: distinct([...own.units, ...common.units, ...notifiers.flatMap(({ units }) => units)], (unit) => unit.name),
    files: distinct(
      [...healthFiles(scope, name, known), ...notifiers.flatMap(({ files }) => files)],
      (file) => file.path,
    ),
    users: [],
    releases: [],
    gates: defined,
  }));
  return outputOf(definition);
}

function distinct<T>(items: readonly T[], nameOf: (item: T) => string): T[] {
  return [...new Map(items.map((item) => [nameOf(item), item])).values()];
}

function ownService(check: HealthCheck, scope: string, name: string, plan: Deferrable<HealthCheckPlain>): Unit {
  const sections = mapped(plan, (known) => {
    const description = known.description ?? `Health check ${name}`;
    return waivedSections(healthServiceSections(scope, `${name}.service`, description, known.service), known.waive);
  });
  return new Unit(
    `${name}.service`,
    { ...unitArgsOf(sections, ["Unit", "Service", "waive"]), triggeredBy: [check.unitName] },
    { parent: check },
  );
}

/** Every program has one, and two resources of one name are an error to Pulumi: the first check of a stack registers it. */
const commonServices = new WeakMap<object, Unit>();
const withoutStack = {};

function commonService(check: HealthCheck, scope: string): Unit {
  const stack = pulumi.runtime.getStackResource() ?? withoutStack;
  const known = commonServices.get(stack);
  const name = commonHealthService(scope);
  if (known?.unitName === name) return known;
  const sections = healthServiceSections(scope, name, `Health checks of ${scope}`, undefined);
  const unit = new Unit(name, unitArgsOf(sections, ["Unit", "Service"]), { parent: check });
  commonServices.set(stack, unit);
  return unit;
}

function healthFiles(scope: string, name: string, settings: HealthSettings): DefinedFile[] {
  const files = [
    { path: healthProgramPath(scope), mode: "0644", content: healthProgram(), secret: false },
    {
      path: healthSettingsPath(scope, name),
      mode: "0600",
      content: `${JSON.stringify(settings, undefined, 2)}\n`,
      secret: settings.checks.some((check) => check.confidential),
    },
  ];
  if (settings.logFile !== null) {
    files.push({ path: logRotationPath(name), mode: "0644", content: logRotation(name), secret: false });
  }
  return files;
}
