import { z } from "zod";
import type { Bundle } from "../../activation/bundle.ts";
import { openedHostInput } from "../../activation/host-command.ts";
import type { SshConnection } from "../../activation/ssh/connection.ts";
import { sshConnectionOf } from "../../activation/ssh/provider-connection.ts";
import type { UnitModel } from "../../systemd/sections.ts";
import { parseUnitFile, unitModel } from "../../systemd/unit-file.ts";
import type { Diagnostic, Registration } from "./program-record.ts";
import { endedProgram, type ProgramRun } from "./program-run.ts";
import { projectFile } from "./project-file.ts";
import { stackConfigValues } from "./stack-config.ts";
import { stateResources } from "./stack-state.ts";

/** Which program to run, and what it may know. */
export interface StackHostsOptions {
  /** A folder of the project: that of `Pulumi.yaml`, or one below. */
  readonly folder: string;
  /** Name of the stack: `dev`, `ORG/dev` or `ORG/PROJECT/dev`. */
  readonly stack: string;
  /** Another file than `Pulumi.STACK.yaml`. */
  readonly configFile?: string | undefined;
  /**
   * Whether secrets are decrypted, by the Pulumi CLI. Without it the program gets `[secret]` for each, and nothing but the
   * project's files is read. Default: false.
   */
  readonly secrets?: boolean;
  /** Whether each `[secret]` tells its ciphertext apart, as `[secret 0f1e2d3c4b5a]`. Default: false. */
  readonly secretMarks?: boolean;
  /**
   * Whether the program gets what the last update left in the stack's state for other providers' resources, such as the
   * address of a machine; read by the Pulumi CLI. Without it those are unknown. Default: false.
   */
  readonly state?: boolean;
  /** Seconds for the program. Default: 120. */
  readonly timeoutSec?: number;
}

/** A stack as its program describes it: nothing of it was deployed, and no host was asked. */
export interface StackHosts {
  readonly project: string;
  /** Name of the stack, without organization. */
  readonly stack: string;
  /** By name. When the program failed, those that it came to. */
  readonly hosts: readonly StackHost[];
  /** Every component of this package that the program made, by URN. */
  readonly components: readonly StackComponent[];
  /** All that the program registered, as it would be shown to policies. Holds secrets where they were decrypted. */
  readonly resources: readonly StackResource[];
  /** Why the program failed; empty when it did not. */
  readonly errors: readonly StackMessage[];
  readonly warnings: readonly StackMessage[];
  /** What a reader must know about all of this: values that are not known here. */
  readonly notes: readonly string[];
}

/** One Host of a program. */
export interface StackHost {
  readonly name: string;
  readonly urn: string;
  /** `project/stack/name`: whose files these are on the machine. */
  readonly scope: string;
  /** Address, when it is known. */
  readonly address: string | undefined;
  /** What the next update would send to the machine; undefined while a part of it is not known. Holds secrets. */
  readonly bundle: Bundle | undefined;
  /** How it is reached; undefined while a part of it is not known. Holds secrets. */
  readonly connection: SshConnection | undefined;
  /** By name. */
  readonly units: readonly StackUnit[];
  /** What is not known, for people: `connection.host`, `text of api.service`. Empty when all is. */
  readonly unknown: readonly string[];
}

/** One unit of a Host. */
export interface StackUnit {
  readonly name: string;
  /** Exact text of the unit file on this host, when it is known. */
  readonly text: string | undefined;
  /** The directives of that text; of an unknown text, those that are known. */
  readonly model: UnitModel;
  /** URN of the Unit component. */
  readonly urn: string | undefined;
  /** The component that a person wrote, such as `systemd:index:Timer nightly`; the Unit itself where it is that. */
  readonly definedBy: { readonly type: string; readonly name: string } | undefined;
}

/** One component of this package. */
export interface StackComponent {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  /** URN of its parent. */
  readonly parent: string;
  /** What policies and the preview see of it. */
  readonly inputs: unknown;
}

/** One resource of the program, of this package or another. */
export interface StackResource {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  /** URN of its parent; empty for the stack itself. */
  readonly parent: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Paths of inputs that are not known without an update: `connection.host`. */
  readonly unknown: readonly string[];
}

/** What the program said. */
export interface StackMessage {
  /** `systemd:index:Service api`; undefined when it is about the program as a whole. */
  readonly resource: string | undefined;
  readonly message: string;
}

const hostType = "systemd:index:Host";
const unitType = "systemd:index:Unit";
const defaultTimeoutSec = 120;

/**
 * Runs a user's Pulumi program without an engine and gives what it would bring to each host. No provider is started, no host
 * is asked, and the same files give the same answer. Programs of Node.js only, in whatever form Pulumi itself runs them.
 * @throws UsageError when the project or its config cannot be read; a program that fails is told in `errors`
 */
export async function stackHosts(options: StackHostsOptions): Promise<StackHosts> {
  const { timeoutSec = defaultTimeoutSec } = options;
  const project = projectFile(options.folder);
  const [stack = "", , third] = options.stack.split("/").reverse();
  const organization = third ?? (options.stack.includes("/") ? options.stack.split("/")[0] : undefined);
  const config = await stackConfigValues({
    project,
    stack,
    configFile: options.configFile,
    decryptedAs: options.secrets === true ? options.stack : undefined,
    marked: options.secretMarks,
  });
  const known = options.state === true ? await stateResources(project, options.stack) : new Map<string, never>();
  const run = { project, organization: organization ?? "organization", stack, config, known, timeoutSec };
  const { found, isLate } = await toldStack({ ...run, traces: false });
  // A program that fails is run once more, to tell where.
  return found.errors.length === 0 || isLate ? found : (await toldStack({ ...run, traces: true })).found;
}

async function toldStack(run: ProgramRun): Promise<{ found: StackHosts; isLate: boolean }> {
  const { project, stack, config, timeoutSec } = run;
  const { registrations, diagnostics, unanswered, ...end } = await endedProgram(run);
  const index = registrationIndex(registrations);
  const errors = messages(diagnostics, "error");
  const ended = end.code === undefined ? `had not ended after ${timeoutSec} s` : `ended with status ${end.code}`;
  if (end.code !== 0 && errors.length === 0) {
    errors.push({ resource: undefined, message: `the program ${ended}\n${end.output}`.trimEnd() });
  }
  const found: StackHosts = {
    project: project.name,
    stack,
    hosts: registrations
      .filter(({ type }) => type === hostType)
      .map((host) => stackHost(host, `${project.name}/${stack}/${host.name}`, index))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    components: registrations
      .filter(({ type }) => type.startsWith("systemd:index:"))
      .map(({ type, name, urn, parent, inputs }) => ({ type, name, urn, parent, inputs: inputs.value }))
      .sort((a, b) => (a.urn < b.urn ? -1 : 1)),
    resources: registrations.map(({ inputs, ...resource }) => ({
      ...resource,
      inputs: registeredInputs.parse(inputs.value),
      unknown: inputs.unknown,
    })),
    errors,
    warnings: messages(diagnostics, "warning"),
    notes: [
      ...config.notes,
      ...unanswered.map((what) => `${what}: nobody answers it here, so what depends on it is not known`),
    ],
  };
  return { found, isLate: end.code === undefined };
}

function messages(diagnostics: readonly Diagnostic[], severity: Diagnostic["severity"]): StackMessage[] {
  return diagnostics
    .filter((diagnostic) => diagnostic.severity === severity)
    .map(({ urn, message }) => ({ resource: titleOf(urn), message: withoutForeignFrames(message) }))
    .sort((a, b) => (`${a.resource}${a.message}` < `${b.resource}${b.message}` ? -1 : 1));
}

/** `systemd:index:Service api` of its URN; undefined for the stack itself. */
function titleOf(urn: string): string | undefined {
  const [, , types = "", name] = urn.split("::");
  const type = types.split("$").at(-1);
  return urn === "" || type === "pulumi:pulumi:Stack" ? undefined : `${type} ${name}`;
}

/** Of a stack trace, the frames of the user's own program. */
function withoutForeignFrames(message: string): string {
  return message
    .split("\n")
    .filter((line) => !/^\s+at .*(node_modules|node:internal)/.test(line))
    .join("\n");
}

const registeredInputs = z.record(z.string(), z.unknown()).catch({});
const hostInputs = z.looseObject({
  address: z.string().optional(),
  hostKeys: z.array(z.string()).optional(),
  units: z.array(z.string()).optional(),
});
const commandInputs = z.looseObject({ stdin: z.string().optional(), connection: z.unknown().optional() });
const unitInputs = z.looseObject({
  text: z.string().optional(),
  sections: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
});

/** What a program registered, to be found fast. */
interface RegistrationIndex {
  readonly all: readonly Registration[];
  readonly byUrn: ReadonlyMap<string, Registration>;
  /** Those of a type and a name, in the order of the program. */
  readonly named: (type: string, name: string) => readonly Registration[];
}

function registrationIndex(all: readonly Registration[]): RegistrationIndex {
  const byName = Map.groupBy(all, ({ type, name }) => `${type}::${name}`);
  return {
    all,
    byUrn: new Map(all.map((one) => [one.urn, one])),
    named: (type, name) => byName.get(`${type}::${name}`) ?? [],
  };
}

const textSchema = z.looseObject({ text: z.string() });

/** The model of each text once: many hosts have the same units. */
const models = new Map<string, UnitModel>();

function modelOf(text: string): UnitModel {
  const model = models.get(text) ?? unitModel(parseUnitFile(text));
  models.set(text, model);
  return model;
}

function stackHost(host: Registration, scope: string, index: RegistrationIndex): StackHost {
  const { address, hostKeys, units: names = [] } = hostInputs.parse(host.inputs.value);
  const command = index.named("command:remote:Command", host.name).find(({ parent }) => parent === host.urn);
  const { stdin, connection } = commandInputs.parse(command?.inputs.value ?? {});
  const isReachable = command !== undefined && !command.inputs.unknown.some((path) => path.startsWith("connection"));
  const { bundle, sudoPassword } = stdin === undefined ? {} : openedHostInput(stdin);
  const units = bundle === undefined ? names.map((name) => declaredUnit(name, index)) : bundledUnits(bundle, index);
  return {
    name: host.name,
    urn: host.urn,
    scope,
    address,
    bundle,
    connection: isReachable
      ? {
          ...sshConnectionOf(connection),
          ...(hostKeys === undefined ? {} : { hostKeys }),
          ...(sudoPassword === undefined ? {} : { sudoPassword }),
        }
      : undefined,
    units: [...units].sort((a, b) => (a.name < b.name ? -1 : 1)),
    unknown:
      command === undefined
        ? ["everything: the program failed before"]
        : [
            ...(isReachable ? [] : [host.inputs.unknown.includes("address") ? "connection.host" : "connection"]),
            ...(bundle === undefined ? unknownParts(index.all) : []),
          ],
  };
}

/** Units of the program of which a part is not known; a Host that has one of them cannot tell its others apart. */
function unknownParts(all: readonly Registration[]): string[] {
  const texts = all
    .filter(({ type, inputs }) => type === unitType && inputs.unknown.includes("text"))
    .map(({ name }) => `text of ${name}`);
  return texts.length > 0 ? texts.sort() : ["a file or an account beside its units"];
}

function bundledUnits(bundle: Bundle, index: RegistrationIndex): StackUnit[] {
  return bundle.units.map(({ name, content }) => {
    const declared = index.named(unitType, name);
    const same = declared.find(({ inputs }) => textSchema.safeParse(inputs.value).data?.text === content);
    return stackUnit(name, content, same ?? declared[0], index);
  });
}

function declaredUnit(name: string, index: RegistrationIndex): StackUnit {
  const [declared] = index.named(unitType, name);
  return stackUnit(name, declared && unitInputs.parse(declared.inputs.value).text, declared, index);
}

function stackUnit(
  name: string,
  text: string | undefined,
  declared: Registration | undefined,
  index: RegistrationIndex,
): StackUnit {
  const author = declared && authorOf(declared, index);
  return {
    name,
    text,
    model: text === undefined ? declaredModel(declared) : modelOf(text),
    urn: declared?.urn,
    definedBy: author && { type: author.type, name: author.name },
  };
}

/** The topmost component of this package above one, or itself. */
function authorOf(one: Registration, index: RegistrationIndex): Registration {
  const parent = index.byUrn.get(one.parent);
  return parent?.type.startsWith("systemd:index:") ? authorOf(parent, index) : one;
}

/** Sections as they were declared; a Unit prints each directive as the text or texts of its lines. */
function declaredModel(declared: Registration | undefined): UnitModel {
  return (unitInputs.parse(declared?.inputs.value ?? {}).sections ?? {}) as UnitModel;
}
