import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { encodedEnvironmentFile } from "../systemd/environment-file.ts";
import type { UnitSections } from "../systemd/sections.ts";
import { reported, validArguments } from "./argument-error.ts";
import { componentNameProblem } from "./argument-schema.ts";
import { built, mapped, outputOf } from "./deferred.ts";
import type { DefinedFile, DefinedRelease, DefinedUser, Definition, UnitReference } from "./definition.ts";
import type { ServicePlain } from "./service-args.ts";
import { secretEnvironmentPath, serviceSections } from "./service-sections.ts";
import { Unit, unitArgsOf } from "./unit.ts";
import type { WaiverPlain } from "./waiver.ts";

/** What a service asks of a host beside its unit. */
export interface ServicePlan {
  args: ServicePlain;
  releases: DefinedRelease[];
}

/**
 * Registers the unit of a service under its component, and gives the definition for a Host.
 * Secrets stay apart from everything that becomes text: only the content of their file holds them.
 * @param planned the service after its own kind's arguments are checked and translated
 */
export function serviceDefinition<Args extends { secretEnvironment?: unknown; socket?: UnitReference }>(
  component: pulumi.ComponentResource,
  name: string,
  args: Args,
  schema: z.ZodType,
  planned: (plain: unknown) => ServicePlan,
): pulumi.Output<Definition> {
  return reported(component, name, () => {
    const nameProblem = componentNameProblem(name, ".service");
    if (nameProblem !== undefined) throw new Error(nameProblem);
    const { secretEnvironment, socket, ...open } = args;
    const visible = {
      ...open,
      ...(socket === undefined ? {} : { socket: { unitName: socket.unitName } }),
      ...(secretEnvironment === undefined ? {} : { secretEnvironment: {} }),
    };
    const plan = built(visible, (plain) => reported(component, name, () => planned(validArguments(schema, plain))));
    const unitArgs = mapped(plan, (known) => serviceUnitArgs(name, known));
    const unit = new Unit(`${name}.service`, unitArgsOf(unitArgs, serviceUnitFields), { parent: component });
    const files = secretEnvironment === undefined ? [] : [secretFile(component, name, secretEnvironment)];
    const parts = pulumi.all([unit.definition, outputOf(plan), pulumi.all(files)]);
    const definition = mapped(parts, ([own, { args: known, releases }, secretFiles]) => ({
      units: own.units,
      files: secretFiles,
      users: usersOf(known),
      releases,
    }));
    return outputOf(definition);
  });
}

/** Arguments of the Unit that carries the service. */
type ServiceUnitArgs = Pick<UnitSections, "Unit" | "Service" | "Install"> & {
  onDemand: boolean;
  onChange: "auto" | "restart" | "reload" | "none";
  settleSec: number | undefined;
  restartOnFiles: string[];
  restartOnReleases: string[];
  triggeredBy: string[];
  waive: WaiverPlain[] | undefined;
};

const serviceUnitFields = [
  "Unit",
  "Service",
  "Install",
  "onDemand",
  "onChange",
  "settleSec",
  "restartOnFiles",
  "restartOnReleases",
  "triggeredBy",
  "waive",
] as const satisfies readonly (keyof ServiceUnitArgs)[];

function serviceUnitArgs(name: string, { args, releases }: ServicePlan): ServiceUnitArgs {
  const sections = serviceSections(name, args);
  return {
    Unit: sections.Unit,
    Service: sections.Service,
    Install: sections.Install,
    onDemand: args.onDemand ?? false,
    onChange: args.onChange ?? "auto",
    settleSec: args.settleSec,
    restartOnFiles: args.secretEnvironment === undefined ? [] : [secretEnvironmentPath(name)],
    restartOnReleases: releases.map((release) => release.name),
    triggeredBy: args.socket === undefined ? [] : [args.socket.unitName],
    waive: args.waive,
  };
}

function secretFile(component: pulumi.Resource, name: string, variables: unknown): pulumi.Output<DefinedFile> {
  const secret: pulumi.Output<unknown> = pulumi.secret(variables);
  return secret.apply((known) => ({
    path: secretEnvironmentPath(name),
    mode: "0600",
    content: reported(component, name, () => encodedEnvironmentFile(known as Record<string, string>)),
    secret: true,
  }));
}

function usersOf({ createUser, user, group }: ServicePlain): DefinedUser[] {
  if (createUser !== true || user === undefined) return [];
  return [{ name: user, group: group ?? user, home: `/var/lib/${user}` }];
}
