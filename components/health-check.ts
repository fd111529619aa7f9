import * as pulumi from "@pulumi/pulumi";
import { healthProgram } from "../activation/health/program.ts";
import { reported, validArguments } from "./argument-error.ts";
import { componentNameProblem } from "./argument-schema.ts";
import { built, mapped, outputOf } from "./deferred.ts";
import type { DefinedFile, Definition } from "./definition.ts";
import type { HealthCheckArgs } from "./health-check-args.ts";
import { healthCheckSchema } from "./health-check-args.ts";
import type { HealthSettings } from "./health-check-sections.ts";
import {
  healthProgramPath,
  healthServiceSections,
  healthSettings,
  healthSettingsPath,
  healthTimerSections,
} from "./health-check-sections.ts";
import { Unit, unitArgsOf } from "./unit.ts";
import { waivedSections } from "./waiver.ts";

export type { HealthCheckArgs, HttpProbeArgs, TcpProbeArgs } from "./health-check-args.ts";
export { healthCheckSchema } from "./health-check-args.ts";

/**
 * A check of one unit on a timer, that restarts it within a budget while it is not well. First systemd must say that the
 * unit is active, then every probe must be well within `timeoutSec`. After `failAfter` failed checks in a row the unit is
 * restarted, and it alone (systemd restarts what requires it); at most `maxRestarts` times within `withinSec`, each time
 * after a longer pause. A budget that is used up is told once, and the unit is left alone until the window has room again
 * or the unit is well.
 *
 * It never acts on a unit that a person stopped, that systemd is about to restart or has a job for, while the system goes
 * down, during an update of the host, or while a lease holds: `/run/pulumi-systemd/lease` with the Unix time in seconds at
 * which it ends, a day after it was written at the latest. `Restart=` of the unit is for what crashes; this is for what
 * runs and does not work.
 *
 * What it finds is in the journal of `NAME.service`: a failed check and a recovery at priority notice, an outage and a
 * restart at warning, a budget that is used up at error. `systemctl status NAME.service` shows the last result. The
 * service itself fails only when the check could not be made (its program is missing, systemd does not answer), and
 * such a check says nothing about the unit: `systemctl --failed` lists checks that need a person.
 *
 * @example
 * ```ts
 * const watch = new HealthCheck("api-health", {
 *   unit: api,
 *   http: { url: "http://127.0.0.1:8000/healthz", contains: "ok" },
 *   everySec: "30s",
 * });
 * ```
 */
export class HealthCheck extends pulumi.ComponentResource {
  static readonly __pulumiType = "systemd:index:HealthCheck";

  /** File name of the unit that sets it off: `NAME.timer`. Each check is a run of `NAME.service`. */
  readonly unitName: string;
  /** What a Host needs of this check. */
  readonly definition: pulumi.Output<Definition>;

  /** @throws pulumi.ResourceError naming the argument or directive, what was received, and what is accepted */
  constructor(name: string, args: HealthCheckArgs, opts?: pulumi.ComponentResourceOptions) {
    let settings: pulumi.Output<HealthSettings> | undefined;
    let problem: unknown;
    try {
      settings = checkedSettings(name, args);
    } catch (error) {
      problem = error;
    }
    // A reviewer sees a changed probe or limit here: the settings are no unit.
    super(HealthCheck.__pulumiType, name, settings === undefined ? {} : { settings }, opts);
    this.unitName = `${name}.timer`;
    this.definition = reported(this, name, () => {
      if (settings === undefined) throw problem;
      return healthDefinition(this, name, args, settings);
    });
    this.registerOutputs({ unitName: this.unitName });
  }
}

/** The name is part of paths, and of StateDirectory=, where `:` and `\` have a meaning. */
const nameForm = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** @throws Error at once for what is known now; what is wrong in an Output fails the settings */
function checkedSettings(name: string, args: HealthCheckArgs): pulumi.Output<HealthSettings> {
  const nameProblem = componentNameProblem(name, ".service");
  if (nameProblem !== undefined) throw new Error(nameProblem);
  if (!nameForm.test(name)) {
    throw new Error(`${JSON.stringify(name)} is no name of a health check; use letters, digits and . _ -`);
  }
  const settings = outputOf(
    built(plainArguments(args), (plain) => healthSettings(name, validArguments(healthCheckSchema, plain))),
  );
  const secrets = pulumi.all([args.http, args.tcp, args.command].map((probe) => pulumi.isSecret(pulumi.output(probe))));
  return pulumi.all([settings, secrets]).apply(([known, [http = false, tcp = false, command = false]]) => {
    if (tcp) throw new Error(`${name}: tcp: is a secret, and messages must name what was tried; give it in clear`);
    if (command) {
      throw new Error(
        `${name}: command: holds a secret, and every user of a host can see the arguments of a process; let the program read it from a file`,
      );
    }
    return { ...known, confidential: http };
  });
}

/** A reference may be a whole component, of which only the name is wanted. */
function plainArguments(args: HealthCheckArgs) {
  return { ...args, ...(args.unit?.unitName === undefined ? {} : { unit: { unitName: args.unit.unitName } }) };
}

function healthDefinition(
  check: HealthCheck,
  name: string,
  args: HealthCheckArgs,
  settings: pulumi.Output<HealthSettings>,
): pulumi.Output<Definition> {
  // A secret URL is no part of a unit, so the units are built without the probes.
  const { http: _http, tcp: _tcp, command: _command, ...scheduling } = plainArguments(args);
  const plan = built(scheduling, (plain) => validArguments(healthCheckSchema, plain));
  const parent = { parent: check };
  const service = new Unit(
    `${name}.service`,
    {
      ...unitArgsOf(
        mapped(plan, (known) => waivedSections(healthServiceSections(name, known), known.waive)),
        ["Unit", "Service", "waive"],
      ),
      triggeredBy: [check.unitName],
    },
    parent,
  );
  const timer = new Unit(
    check.unitName,
    unitArgsOf(
      mapped(plan, (known) => waivedSections(healthTimerSections(name, known), known.waive)),
      ["Unit", "Timer", "Install", "waive"],
    ),
    parent,
  );
  const definition = mapped(pulumi.all([timer.definition, service.definition, settings]), ([timed, served, known]) => ({
    units: [...timed.units, ...served.units],
    files: healthFiles(name, known),
    users: [],
    releases: [],
  }));
  return outputOf(definition);
}

function healthFiles(name: string, settings: HealthSettings): DefinedFile[] {
  return [
    { path: healthProgramPath(name), mode: "0644", content: healthProgram(), secret: false },
    {
      path: healthSettingsPath(name),
      mode: "0600",
      content: `${JSON.stringify(settings, undefined, 2)}\n`,
      secret: settings.confidential,
    },
  ];
}
