import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { healthProgram } from "../activation/health/program.ts";
import type { DefinedFile } from "./definition.ts";
import { healthProgramPath } from "./health-check-sections.ts";
import type { CommandProbeArgs, HttpProbeArgs, TcpProbeArgs, UnixSocketProbeArgs } from "./health-probe-args.ts";
import { healthProbes, healthProbesShape, secondsOf, spanOf } from "./health-probe-args.ts";
import { ofInstance } from "./service-instances.ts";

/** What a program must answer to count as ready. At least one probe; all of them must be well. */
export interface ReadyWhenArgs {
  /** A GET that it answers. */
  http?: pulumi.Input<HttpProbeArgs>;
  /** A port at which it accepts connections. */
  tcp?: pulumi.Input<TcpProbeArgs>;
  /** A socket in the file system at which it accepts connections. */
  unixSocket?: pulumi.Input<UnixSocketProbeArgs>;
  /** A command that ends well, run as the service's user in its sandbox. */
  command?: pulumi.Input<CommandProbeArgs>;
  /** Time between two questions once it is ready, a time span; with a watchdog at most a third of that. Default: `5s`. */
  everySec?: pulumi.Input<string>;
  /** Time in which each probe must have answered, a time span. Default: `3s`. */
  timeoutSec?: pulumi.Input<string>;
}

const defaults = { everySec: "5s", timeoutSec: "3s" };
const { http, tcp, unixSocket, command } = healthProbesShape;
const probes = { http, tcp, unixSocket, command };

/** `ReadyWhenArgs` after all Outputs are known. */
export const readyWhenSchema = z
  .strictObject({
    ...probes,
    everySec: spanOf(0.1, "a time span of at least 100ms").optional(),
    timeoutSec: spanOf(0.001, "a time span above 0").optional(),
  })
  .superRefine((args, context) => {
    const names = Object.keys(probes) as (keyof typeof probes)[];
    if (!names.some((name) => args[name] !== undefined)) {
      context.addIssue({ code: "custom", message: `has no probe; give at least one of ${names.join(", ")}` });
    }
    if (args.command?.user !== undefined) {
      const message = "cannot be another: the command runs as the service's own user, in its sandbox";
      context.addIssue({ code: "custom", path: ["command", "user"], message });
    }
  });

export type ReadyWhenPlain = z.infer<typeof readyWhenSchema>;

/** Why a watchdog is too short for its probes, or undefined where it is not. */
export function watchdogProblem(args: ReadyWhenPlain, watchdogSec: string): string | undefined {
  const given = [args.http, args.tcp, args.unixSocket, args.command].filter((probe) => probe !== undefined);
  const slowest = Math.max(
    ...given.map((probe) => secondsOf(probe?.timeoutSec ?? args.timeoutSec ?? defaults.timeoutSec)),
  );
  return secondsOf(watchdogSec) >= 2 * slowest
    ? undefined
    : `${JSON.stringify(watchdogSec)} is less than twice the ${slowest} s that a probe of readyWhen may take; give more, or a shorter readyWhen.timeoutSec`;
}

/** Where the probes of a unit lie on the host. */
export function readyWhenPath(unit: string): string {
  return `/etc/pulumi-systemd/ready/${unit.replace(/\.service$/, "")}.json`;
}

/** A command with the probes beside it: the program that it becomes stays the unit's main process. */
export function withProbesBeside(scope: string, unit: string, exec: readonly string[]): string[] {
  return ["/usr/bin/python3", "-I", healthProgramPath(scope), "beside", readyWhenPath(unit), ...exec];
}

/** The probes of one unit, and the program that makes them. Both can be read by the service's user. */
export function readyWhenFiles(
  scope: string,
  { name, instance }: { name: string; instance: string | undefined },
  given: ReadyWhenPlain,
): DefinedFile[] {
  const args = readyWhenSchema.parse(ofInstance(given, instance));
  const settings = {
    probes: healthProbes(args, name, args.timeoutSec ?? defaults.timeoutSec),
    everySec: secondsOf(args.everySec ?? defaults.everySec),
  };
  const file = { mode: "0644", secret: false };
  return [
    { ...file, path: healthProgramPath(scope), content: healthProgram() },
    { ...file, path: readyWhenPath(name), content: `${JSON.stringify(settings, undefined, 2)}\n` },
  ];
}
