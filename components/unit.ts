import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { UnitModel, UnitSections } from "../systemd/sections.ts";
import { unitFileOf } from "../systemd/sections.ts";
import { parseUnitFileWithNotes, printUnitFile, unitModel } from "../systemd/unit-file.ts";
import { parsedUnitName, unitNameProblem } from "../systemd/unit-name.ts";
import type { UnitProblem } from "../systemd/validate.ts";
import { unitFileProblems, unitProblems } from "../systemd/validate.ts";
import { argumentProblems, reported, resourceError } from "./argument-error.ts";
import { directives, onChange, plainPath, unitName } from "./argument-schema.ts";
import {
  built,
  type Deferrable,
  fieldOf,
  fieldsOf,
  isDeferred,
  joined,
  mapped,
  outputOf,
  partsOf,
  whenKnown,
} from "./deferred.ts";
import type { Definition } from "./definition.ts";
import { knownParts } from "./known-parts.ts";
import type {
  InstallSectionArgs,
  PathSectionArgs,
  ServiceSectionArgs,
  SocketSectionArgs,
  TimerSectionArgs,
  UnitSectionArgs,
} from "./section-args.generated.ts";
import type { OnChange } from "./service-args.ts";
import { unitVerdict, warnOnce } from "./unit-lints.ts";
import { type WaiverArgs, type WaiverPlain, waivers } from "./waiver.ts";

/** Arguments of `Unit`: the sections of one unit file under their systemd names, or its text. */
export interface UnitArgs {
  /** [Unit]: description, dependencies, conditions, start limits. */
  Unit?: pulumi.Input<UnitSectionArgs>;
  /** [Service], for a name that ends in `.service`. */
  Service?: pulumi.Input<ServiceSectionArgs>;
  /** [Socket], for a name that ends in `.socket`. */
  Socket?: pulumi.Input<SocketSectionArgs>;
  /** [Timer], for a name that ends in `.timer`. */
  Timer?: pulumi.Input<TimerSectionArgs>;
  /** [Path], for a name that ends in `.path`. */
  Path?: pulumi.Input<PathSectionArgs>;
  /** [Install]: what pulls the unit in when it is enabled. */
  Install?: pulumi.Input<InstallSectionArgs>;
  /** The whole unit file as text, in place of the sections. It is checked and printed in canonical form. */
  text?: pulumi.Input<string>;
  /** Whether the update leaves it to others to start the unit. Default: true for a unit without [Install], else false. */
  onDemand?: pulumi.Input<boolean>;
  /** What a change does while the unit runs. Default: `auto`. */
  onChange?: pulumi.Input<OnChange>;
  /** Seconds for which it must stay up after a start before the update counts it as running. Default: 1 for a service, else 0. */
  settleSec?: pulumi.Input<number>;
  /** Files on the host, absolute paths, that belong to the same Host and whose change restarts the unit. Default: none. */
  restartOnFiles?: pulumi.Input<pulumi.Input<string>[]>;
  /** Files of the same Host whose change reloads the unit, where nothing else restarts it. Default: none. */
  reloadOnFiles?: pulumi.Input<pulumi.Input<string>[]>;
  /** Releases of the same Host whose change restarts the unit. Default: none. */
  restartOnReleases?: pulumi.Input<pulumi.Input<string>[]>;
  /** Sockets, timers and paths that can start the unit. Default: none. */
  triggeredBy?: pulumi.Input<pulumi.Input<string>[]>;
  /** Lints and policies that the unit may break until a date, each with a reason. Default: none. */
  waive?: pulumi.Input<pulumi.Input<WaiverArgs>[]>;
}

/** `UnitArgs` after all Outputs are known. */
export const unitSchema = z.strictObject({
  Unit: directives.optional(),
  Service: directives.optional(),
  Socket: directives.optional(),
  Timer: directives.optional(),
  Path: directives.optional(),
  Install: directives.optional(),
  text: z.string().optional(),
  onDemand: z.boolean().optional(),
  onChange: onChange.optional(),
  settleSec: z.number().min(0).max(3600).optional(),
  restartOnFiles: z.array(plainPath).optional(),
  reloadOnFiles: z.array(plainPath).optional(),
  restartOnReleases: z.array(z.string()).optional(),
  purge: z.array(plainPath).optional(),
  triggeredBy: z.array(unitName).optional(),
  waive: waivers.optional(),
});

/** First line of every unit file that this package writes. */
export const unitHeader = ["Managed by pulumi-systemd: changes made here are lost at the next update."];

/** One unit, rendered and checked. */
export interface RenderedUnit {
  text: string;
  sections: UnitModel;
  waive: WaiverPlain[];
  /** What the lints warn of in this unit. */
  warnings: string[];
  definition: Definition;
}

/**
 * The text of a unit and what a host must know to apply it.
 * @param isWhole false where directives are left out that are not known yet: the lints would miss them
 * @throws Error naming each directive that is wrong, what was received, and what is accepted
 */
export function renderedUnit(name: string, args: unknown, isWhole = true): RenderedUnit {
  const nameProblem = unitNameProblem(name);
  if (nameProblem !== undefined) throw new Error(nameProblem);
  const parsed = unitSchema.safeParse(args);
  if (!parsed.success) throw new Error(argumentProblems(parsed.error).join("; "));
  const { Unit, Service, Socket, Timer, Path, Install, text: given, ...rest } = parsed.data;
  const sections: UnitSections = { Unit, Service, Socket, Timer, Path, Install };
  const written = Object.values(sections).some((directives) => directives !== undefined);
  if (given !== undefined && written) throw new Error("text: is given together with sections; give one of the two");
  if (given === undefined && !written) throw new Error("has neither sections nor text; give one of the two");

  const read = given === undefined ? { file: unitFileOf(sections) } : parseUnitFileWithNotes(given);
  const { file } = read;
  const problems = given === undefined ? unitProblems(name, sections) : unitFileProblems(name, file);
  const errors = problems.filter((problem) => problem.severity === "error");
  if (errors.length > 0) throw new Error(errors.map(problemLine).join("; "));
  const lints = isWhole ? unitVerdict(name, read, rest.waive ?? []) : { errors: [], warnings: [] };
  if (lints.errors.length > 0) throw new Error(lints.errors.join("; "));

  const text = printUnitFile(file, unitHeader);
  const model = unitModel(file);
  return {
    text,
    sections: model,
    waive: rest.waive ?? [],
    warnings: lints.warnings,
    definition: {
      units: [
        {
          name,
          text,
          activation: (rest.onDemand ?? model.Install === undefined) ? "on-demand" : "started",
          restartOnFiles: rest.restartOnFiles ?? [],
          ...(rest.reloadOnFiles === undefined || rest.reloadOnFiles.length === 0
            ? {}
            : { reloadOnFiles: rest.reloadOnFiles }),
          restartOnReleases: rest.restartOnReleases ?? [],
          ...(rest.purge === undefined || rest.purge.length === 0 ? {} : { purge: rest.purge }),
          triggeredBy: rest.triggeredBy ?? [],
          onChange: rest.onChange ?? "auto",
          settleSec: rest.settleSec ?? (parsedUnitName(name).type === "service" ? 1 : 0),
          waive: rest.waive ?? [],
        },
      ],
      files: [],
      users: [],
      releases: [],
    },
  };
}

/**
 * `renderedUnit` where the values of some directives are not known yet: they are unknown in the sections, and so is the whole
 * text. What is wrong with the others is told by the update.
 */
export function partlyRenderedUnit(name: string, args: unknown): RenderedUnit {
  const given = Object.entries(args as UnitArgs);
  const known = given.map(([key, part]) => [key, isSectionName(key) ? withoutUnknowns(part) : part]);
  const rendered = knownParts(Object.fromEntries(known), (plain) => renderedUnit(name, plain, false));
  if (pulumi.isUnknown(rendered)) return rendered;
  const partial = given.filter(([key, part]) => isSectionName(key) && part !== undefined);
  const sections = partial.map(([key, part]) => [key, withUnknowns(part, rendered.sections[key])]);
  // What is unknown has no type of its own.
  const text = pulumi.unknown as unknown as string;
  return {
    ...rendered,
    text,
    sections: partial.length > 0 ? Object.fromEntries(sections) : rendered.sections,
    definition: { ...rendered.definition, units: rendered.definition.units.map((unit) => ({ ...unit, text })) },
  };
}

/** Sections begin with a capital letter, other arguments do not. */
function isSectionName(key: string): boolean {
  return /^[A-Z]/.test(key);
}

/** The directives of a section that are known; undefined where it is unknown as a whole. */
function withoutUnknowns(section: unknown): Record<string, unknown> | undefined {
  if (section === undefined || pulumi.isUnknown(section)) return undefined;
  return Object.fromEntries(Object.entries(section as object).filter(([, value]) => !pulumi.containsUnknowns(value)));
}

/** The directives of a section in their order, unknown where they are. */
function withUnknowns(section: unknown, rendered: UnitModel[string] = {}): unknown {
  if (pulumi.isUnknown(section)) return pulumi.unknown;
  const directives = Object.entries(section as object).map(([key, value]) => [
    key,
    pulumi.containsUnknowns(value) ? pulumi.unknown : rendered[key],
  ]);
  return Object.fromEntries(directives.filter(([, value]) => value !== undefined));
}

function problemLine(problem: UnitProblem): string {
  return `[${problem.section}] ${problem.message}`;
}

/**
 * One systemd unit by its exact sections, every directive typed from systemd's own tables. The name of the resource is the
 * file name of the unit. It knows no host: give it to a Host.
 *
 * The preview shows its text and its sections, so that a reviewer sees a change of one directive as one line. Where the value
 * of one directive is not known before the update, the text is not, but all other directives are.
 *
 * @example
 * ```ts
 * const watch = new Unit("inbox.path", {
 *   Unit: { Description: "Import what lands in the inbox" },
 *   Path: { DirectoryNotEmpty: ["/srv/inbox"] },
 *   Install: { WantedBy: ["multi-user.target"] },
 * });
 * ```
 */
export class Unit extends pulumi.ComponentResource {
  static readonly __pulumiType = "systemd:index:Unit";

  /** File name of the unit. */
  readonly unitName: string;
  /** What a Host needs of this unit. */
  readonly definition: pulumi.Output<Definition>;

  /** @throws pulumi.ResourceError naming the directive, what was received, and what is accepted */
  constructor(name: string, args: UnitArgs, opts?: pulumi.ComponentResourceOptions) {
    let rendered: Deferrable<RenderedUnit> | undefined;
    let problem: unknown;
    try {
      rendered = built(
        isDeferred(args) ? readable(opts?.parent, name, pulumi.output(args)) : args,
        (plain) => reported(opts?.parent, name, () => renderedUnit(name, plain)),
        (plain) => partlyRenderedUnit(name, plain),
      );
    } catch (error) {
      problem = error;
    }
    super(
      Unit.__pulumiType,
      name,
      rendered === undefined ? {} : registeredInputs(rendered),
      // A change shows as a hunk of the text; the sections, the same once more, are for creation and for policies.
      pulumi.mergeOptions(opts, { hideDiffs: ["sections"] }),
    );
    if (rendered === undefined) throw resourceError(problem instanceof Error ? problem.message : String(problem), this);
    this.unitName = name;
    whenKnown(rendered, ({ warnings }) =>
      warnOnce(
        warnings.map((warning) => `${name}: ${warning}`),
        this,
      ),
    );
    // The registration comes first: a policy that refuses this unit keeps it from every host.
    this.definition = outputOf(mapped(joined([rendered, this.urn]), ([{ definition }]) => definition));
    this.registerOutputs({ unitName: name });
  }
}

/** What a reviewer and the policies see of a unit. */
function registeredInputs(rendered: Deferrable<RenderedUnit>) {
  const waive = mapped(rendered, (unit) => (unit.waive.length > 0 ? unit.waive : undefined));
  return { text: fieldOf(rendered, "text"), sections: partsOf(fieldOf(rendered, "sections")), waive };
}

/**
 * Fields of `UnitArgs` from sections that were built from other arguments: each field is an Input of its own, so that one
 * unknown value does not hide the others.
 */
export function unitArgsOf<T, K extends keyof T>(built: Deferrable<T>, fields: readonly K[]): UnitArgs {
  // Sections hold any directive by name; the Unit checks each against systemd's tables.
  return fieldsOf(built, fields) as UnitArgs;
}

/** Every local user can read a unit, so no value of it may be secret: told before anything is said of a value. */
function readable<T>(parent: pulumi.Resource | undefined, name: string, args: pulumi.Output<T>): pulumi.Output<T> {
  return pulumi.output(pulumi.isSecret(args)).apply((secret) => {
    if (secret) {
      throw resourceError(
        `${name}: a directive holds a secret, and every user of a host can read its units; pass it by secretEnvironment`,
        parent,
      );
    }
    return args;
  });
}
