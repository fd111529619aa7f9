import { posix } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { type IndexFiles, indexFiles } from "../activation/environment/package-index.ts";
import { encodedEnvironmentFile } from "../systemd/environment-file.ts";
import { assignedTexts, type SectionDirectives, type UnitSections } from "../systemd/sections.ts";
import { reported, validArguments } from "./argument-error.ts";
import { componentNameProblem } from "./argument-schema.ts";
import { ConfigFile, configFiles, configPaths } from "./config-files.ts";
import { built, type Deferrable, joined, mapped, outputOf, whenKnown } from "./deferred.ts";
import type { DefinedFile, DefinedHook, DefinedRelease, DefinedUser, Definition, UnitReference } from "./definition.ts";
import { healthScope } from "./health-check-sections.ts";
import { type HealthGateArgs, serviceGate } from "./health-gate.ts";
import { readyWhenFiles, readyWhenPath } from "./ready-when.ts";
import { packageIndexSchema } from "./release-args.ts";
import { checkedWithoutEcho } from "./secret-values.ts";
import { canReload, type ServicePlain } from "./service-args.ts";
import { credentialFiles, credentialNames, credentialPath, withoutCredentials } from "./service-credentials.ts";
import { type ServiceUnit, serviceUnits } from "./service-instances.ts";
import { secretEnvironmentPath, serviceSections } from "./service-sections.ts";
import { Unit, unitArgsOf } from "./unit.ts";
import type { WaiverPlain } from "./waiver.ts";

/** What a service asks of a host beside its unit. */
export interface ServicePlan {
  args: ServicePlain;
  releases: DefinedRelease[];
  hooks: DefinedHook[];
}

/**
 * Registers the unit of a service under its component, and gives the definition for a Host.
 * Secrets stay apart from everything that becomes text: only the content of their file holds them.
 * @param planned the service after its own kind's arguments are checked and translated
 */
export function serviceDefinition<
  Args extends {
    secretEnvironment?: unknown;
    credentials?: unknown;
    credentialsBase64?: unknown;
    credentialsAtRest?: unknown;
    packageIndex?: unknown;
    socket?: UnitReference;
    health?: HealthGateArgs;
    instances?: number;
    instanceNames?: string[];
  },
>(
  component: pulumi.ComponentResource,
  name: string,
  args: Args,
  schema: z.ZodType,
  planned: (plain: unknown) => ServicePlan,
): pulumi.Output<Definition> {
  return reported(component, name, () => {
    const nameProblem = componentNameProblem(name, ".service");
    if (nameProblem !== undefined) throw new Error(nameProblem);
    if (/[:\\]/.test(name)) {
      throw new Error(
        `${JSON.stringify(name)} holds : or \\, which StateDirectory= reads as a link or an escape; use letters, digits and . _ @ -`,
      );
    }
    const { secretEnvironment, credentials, credentialsBase64, packageIndex, socket, health, ...open } = args;
    const visible = {
      ...open,
      ...withoutCredentials({ credentials, credentialsBase64 }),
      ...(socket === undefined ? {} : { socket: { unitName: socket.unitName } }),
      ...(secretEnvironment === undefined ? {} : { secretEnvironment: {} }),
      ...(packageIndex === undefined ? {} : { packageIndex: {} }),
      ...(health === undefined ? {} : { health: {} }),
    };
    const plan = built(visible, (plain) => reported(component, name, () => planned(validArguments(schema, plain))));
    const scope = healthScope(pulumi.getProject(), pulumi.getStack());
    const units = serviceUnits(name, args).map((one) => {
      const unitArgs = mapped(plan, (known) => serviceUnitArgs(name, known, one, scope));
      return { ...one, unit: new Unit(one.name, unitArgsOf(unitArgs, serviceUnitFields), { parent: component }) };
    });
    const variables = secretEnvironment === undefined ? [] : [secretFile(component, name, secretEnvironment)];
    const { credentialsAtRest } = args;
    const files = joined([
      joined(variables),
      credentialFiles(component, name, { credentials, credentialsBase64, credentialsAtRest }),
    ]);
    showConfigFiles(component, name, plan);
    const index = secretIndex(component, name, packageIndex);
    const gates = joined(health === undefined ? [] : units.map((unit) => serviceGate(component, name, unit, health)));
    const parts = joined([joined(units.map(({ unit }) => unit.definition)), plan, files, index, gates]);
    const definition = mapped(parts, ([own, { args: known, releases, hooks }, secretFiles, settings, defined]) => ({
      units: own.flatMap((definition) => definition.units),
      files: [
        ...secretFiles.flat(),
        ...reported(component, name, () => [...configFiles(known.configFiles), ...probesOf(known, units, scope)]),
      ],
      users: usersOf(known),
      releases: releases.map((release) => withIndex(release, settings)),
      // Once for all instances: they run one release.
      hooks: hooks.map((hook) => ({ ...hook, unit: units[0]?.name ?? hook.unit })),
      gates: defined,
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
  reloadOnFiles: string[];
  restartOnReleases: string[];
  purge: string[];
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
  "reloadOnFiles",
  "restartOnReleases",
  "purge",
  "triggeredBy",
  "waive",
] as const satisfies readonly (keyof ServiceUnitArgs)[];

function serviceUnitArgs(
  name: string,
  { args, releases }: ServicePlan,
  unit: ServiceUnit,
  scope: string,
): ServiceUnitArgs {
  const sections = serviceSections(name, args, unit.instance, scope);
  return {
    Unit: sections.Unit,
    Service: sections.Service,
    Install: sections.Install,
    onDemand: args.onDemand ?? false,
    onChange: args.onChange ?? "auto",
    settleSec: args.settleSec,
    restartOnFiles: [
      ...(args.secretEnvironment === undefined ? [] : [secretEnvironmentPath(name)]),
      ...credentialNames(args).map((credential) => credentialPath(name, credential)),
      ...configPaths(args.configFiles, canReload(args), "restart"),
      ...(args.readyWhen === undefined ? [] : [readyWhenPath(unit.name)]),
    ],
    reloadOnFiles: configPaths(args.configFiles, canReload(args), "reload"),
    restartOnReleases: releases.map((release) => release.name),
    purge: args.purge === true ? dataDirectories(sections.Service ?? {}) : [],
    triggeredBy: args.socket === undefined ? [] : [args.socket.unitName],
    waive: args.waive,
  };
}

/** The program of the probes once, and those of each unit. */
function probesOf({ readyWhen }: ServicePlain, units: readonly ServiceUnit[], scope: string): DefinedFile[] {
  if (readyWhen === undefined) return [];
  const files = units.flatMap((unit) => readyWhenFiles(scope, unit, readyWhen));
  return [...new Map(files.map((file) => [file.path, file])).values()];
}

/** Each file as a child of the service, so that the preview has its lines. */
function showConfigFiles(component: pulumi.Resource, name: string, plan: Deferrable<ServicePlan>): void {
  const files = mapped(plan, ({ args }) => reported(component, name, () => configFiles(args.configFiles)));
  whenKnown(files, (known) => {
    for (const file of known) {
      new ConfigFile(`${name}:${file.path}`, pulumi.output(file), { parent: component });
    }
  });
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

/** The directories that systemd makes for a service and that outlive it, as absolute paths. Follows systemd.exec(5). */
function dataDirectories(service: SectionDirectives): string[] {
  const bases = {
    StateDirectory: "/var/lib",
    CacheDirectory: "/var/cache",
    LogsDirectory: "/var/log",
    ConfigurationDirectory: "/etc",
  };
  return Object.entries(bases).flatMap(([directive, base]) =>
    assignedTexts(service[directive])
      .flatMap((text) => text.split(/\s+/))
      .filter((word) => word !== "" && !word.includes("%"))
      .map((word) => posix.join(base, word.replace(/:.*$/, "")).replace(/\/$/, "")),
  );
}

/** The rendered settings of the package index: apart from everything that becomes text, since a password may be in them. */
function secretIndex(
  component: pulumi.Resource,
  name: string,
  packageIndex: unknown,
): Deferrable<IndexFiles | undefined> {
  if (packageIndex === undefined) return undefined;
  const secret: pulumi.Output<unknown> = pulumi.secret(packageIndex);
  const schema = z.strictObject({ packageIndex: packageIndexSchema });
  return secret.apply((known) =>
    checkedWithoutEcho(secret, known, (packageIndex) =>
      reported(component, name, () => indexFiles(validArguments(schema, { packageIndex }).packageIndex)),
    ),
  );
}

function withIndex(release: DefinedRelease, index: IndexFiles | undefined): DefinedRelease {
  if (release.environment === undefined || index === undefined) return release;
  return { ...release, environment: { ...release.environment, pipConf: index.pip, uvToml: index.uv } };
}
