import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { BundleGate } from "../activation/bundle.ts";
import { reported, validArguments } from "./argument-error.ts";
import { built, outputOf } from "./deferred.ts";
import type { DefinedGate } from "./definition.ts";
import type { HealthCheckPlain } from "./health-check-args.ts";
import type { HealthSettings } from "./health-check-sections.ts";
import {
  anySpan,
  type HealthProbesArgs,
  healthProbes,
  healthProbesShape,
  secondsOf,
  spanOf,
} from "./health-probe-args.ts";
import { ofInstance, type ServiceUnit } from "./service-instances.ts";

/** The health gate of a deploy: what must hold after the service was started, restarted or reloaded, or the host goes back. */
export interface HealthGateArgs extends HealthProbesArgs {
  /** Time in which each probe must have answered, a time span. Default: `5s`. */
  timeoutSec?: pulumi.Input<string>;
  /** Time for which all must stay well, by the same process and without a restart; a time span. Default: `3s`. */
  stableSec?: pulumi.Input<string>;
  /** Time in which all of that must have happened, a time span. Default: `1min`. */
  withinSec?: pulumi.Input<string>;
}

const gateDefaults = { timeoutSec: "5s", stableSec: "3s", withinSec: "1min" };

const probeFields = Object.keys(healthProbesShape) as (keyof typeof healthProbesShape)[];

/** `HealthGateArgs` after all Outputs are known. */
export const healthGateSchema = z
  .strictObject({
    ...healthProbesShape,
    timeoutSec: spanOf(0.001, "a time span above 0").optional(),
    stableSec: anySpan.optional(),
    withinSec: spanOf(0.001, "a time span above 0").optional(),
  })
  .superRefine((gate, context) => {
    const { stableSec = gateDefaults.stableSec, withinSec = gateDefaults.withinSec } = gate;
    if (!probeFields.some((field) => gate[field] !== undefined)) {
      context.addIssue({ code: "custom", message: `has no probe; give at least one of ${probeFields.join(", ")}` });
    }
    if (secondsOf(stableSec) >= secondsOf(withinSec)) {
      const message = `${JSON.stringify(stableSec)} is not less than withinSec (${JSON.stringify(withinSec)})`;
      context.addIssue({ code: "custom", path: ["stableSec"], message });
    }
  });

export type HealthGatePlain = z.infer<typeof healthGateSchema>;

/**
 * A gate as the host program reads it. What is confidential only Pulumi knows.
 * @param unit the unit that must pass it
 */
export function bundleGate(unit: string, gate: HealthGatePlain, confidential: boolean): BundleGate {
  return {
    probes: healthProbes(gate, unit, gate.timeoutSec ?? gateDefaults.timeoutSec),
    stableSec: secondsOf(gate.stableSec ?? gateDefaults.stableSec),
    withinSec: secondsOf(gate.withinSec ?? gateDefaults.withinSec),
    confidential,
  };
}

/**
 * The gates of a HealthCheck: of those of its checks that are one.
 * @throws Error when a check that is to be a gate has no unit or nothing to ask
 */
export function checkGates(args: HealthCheckPlain, settings: HealthSettings): DefinedGate[] {
  const tests = args.checks === undefined ? [args] : Object.values(args.checks);
  return settings.checks.flatMap(({ name, unit, probes, graceSec, confidential }, index) => {
    if ((tests[index]?.gate ?? args.gate) !== true) return [];
    if (unit === null || probes.length === 0) throw new Error(`${name}: gate: needs a unit and at least one probe`);
    const withinSec = Math.max(graceSec, secondsOf(gateDefaults.withinSec));
    const gate: BundleGate = { probes, stableSec: secondsOf(gateDefaults.stableSec), withinSec, confidential };
    return [{ unit, settings: JSON.stringify(gate) }];
  });
}

const gateArgumentSchema = z.strictObject({ health: healthGateSchema });

/** The gate of one unit of a service. Its URL may be a secret, so it stays apart from everything that becomes text of a unit. */
export function serviceGate(
  component: pulumi.Resource,
  name: string,
  { name: unit, instance }: ServiceUnit,
  gate: HealthGateArgs,
): pulumi.Output<DefinedGate> {
  const active = gate.active === undefined ? {} : { active: { unitName: gate.active.unitName } };
  const known = outputOf(
    built({ ...gate, ...active }, (plain) =>
      reported(
        component,
        name,
        () => validArguments(gateArgumentSchema, { health: ofInstance(plain, instance) }).health,
      ),
    ),
  );
  const secret = reported(component, name, () => confidentialProbes(name, "health.", gate));
  return pulumi
    .all([known, secret])
    .apply(([plain, hidden]) => ({ unit, settings: JSON.stringify(bundleGate(unit, plain, hidden)) }));
}

/** Why a command may not hold a secret, under the path of its component's arguments. */
export const secretCommandProblem =
  "command: holds a secret, and every user of a host can see the arguments of a process; let the program read it from a file";

const openProbes = ["tcp", "unixSocket", "file", "disk", "memory"] as const;

/**
 * Whether the URL of a probe is a secret. Another secret fails it.
 * @param at path of the probes in the arguments of the component: `checks.api.`
 */
export function confidentialProbes(name: string, at: string, test: HealthProbesArgs): pulumi.Output<boolean> {
  const probes = pulumi.all([test.http, test.command, ...openProbes.map((probe) => test[probe])].map(isSecret));
  return probes.apply(([http = false, command = false, ...others]) => {
    const index = others.indexOf(true);
    if (index >= 0) {
      const messages = "is a secret, and messages must name what was tried; give it in clear";
      throw new Error(`${name}: ${at}${openProbes[index]}: ${messages}`);
    }
    if (command) {
      throw new Error(`${name}: ${at}${secretCommandProblem}`);
    }
    return http;
  });
}

function isSecret(value: unknown): Promise<boolean> {
  return pulumi.isSecret(pulumi.output(value));
}
