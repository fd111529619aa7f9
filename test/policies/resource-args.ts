import type { ResourceValidationArgs, ResourceValidationPolicy } from "@pulumi/policy";
import { packedText } from "../../activation/packed-text.ts";
import { componentPolicies } from "../../policies/policy.ts";
import type { Rule } from "../../policies/rule.ts";
import type { UnitModel } from "../../systemd/sections.ts";

/** What the engine gives a policy, for one resource. */
export interface FakeResource {
  type: string;
  name: string;
  props: Record<string, unknown>;
  config: Record<string, unknown>;
  /** Types of the components around it, outermost first. */
  parents: string[];
  /** Name of the component around it. */
  parent?: string;
}

/** A service as a component registers it. Tests mutate what this returns. */
export function serviceResource(service: Record<string, string | string[]>, name = "api.service"): FakeResource {
  const sections: UnitModel = { Unit: { Description: "orders" }, Service: service };
  return { type: "systemd:index:Unit", name, props: { text: "", sections }, config: {}, parents: [] };
}

/** A unit with its text, as a component registers it. */
export function unitResource(name: string, text: string, props: object = {}): FakeResource {
  return { type: "systemd:index:Unit", name, props: { text, ...props }, config: {}, parents: [] };
}

/** A Host and its command with what it sends, as the component registers them. */
export function hostResources(
  name: string,
  units: Record<string, string>,
  {
    files = [],
    config = {},
    ...host
  }: { files?: { path: string }[]; config?: FakeResource["config"]; [input: string]: unknown } = {},
): [FakeResource, FakeResource] {
  const bundle = { units: Object.entries(units).map(([unit, content]) => ({ name: unit, content })), files };
  const stdin = `${"0".repeat(64)} .a.program\n${packedText(JSON.stringify(bundle))}`;
  const type = "systemd:index:Host";
  return [
    { type, name, props: { units: Object.keys(units), hostKeyPinned: true, ...host }, config, parents: [] },
    {
      type: "command:remote:Command",
      name,
      props: { stdin, connection: { host: "127.0.0.1", hostKey: "ssh-ed25519 AAAA" } },
      config,
      parents: [type],
      parent: name,
    },
  ];
}

/** An input that is not known yet throws when it is read, as the SDK has it. */
export function withUnknown<T extends object>(object: T, ...keys: string[]): T {
  const copy = { ...object };
  for (const key of keys) {
    Object.defineProperty(copy, key, {
      enumerable: true,
      get: () => {
        throw new Error(`string value at .${key} can't be known during preview`);
      },
    });
  }
  return copy;
}

/** One line that policies print. */
export interface Reported {
  readonly policy: string;
  /** Where it differs from the level of the policy. */
  readonly level?: string | undefined;
  /** What stands behind the description. */
  readonly message: string;
}

/** What rules report for resources that are registered in this order, in one run. */
export function reported(rules: readonly Rule[], resources: readonly FakeResource[]): Reported[] {
  const policies = componentPolicies(rules);
  return resources.flatMap((resource) => policies.flatMap((policy) => reportedBy(policy, resource)));
}

/** What one policy reports for one resource. */
export function reportedBy(policy: ResourceValidationPolicy, resource: FakeResource): Reported[] {
  const found: Reported[] = [];
  const validate = policy.validateResource;
  if (typeof validate !== "function") throw new Error(`${policy.name} has no single validateResource`);
  void validate(validationArgs(resource), (given: unknown) => {
    if (typeof given === "string") return found.push({ policy: policy.name, message: given });
    const { message, enforcementLevel } = given as { message: string; enforcementLevel: string };
    return found.push({
      policy: policy.name,
      level: enforcementLevel,
      message: message.replace(`${policy.description}\n`, ""),
    });
  });
  return found;
}

/** The messages of one rule, in order, notes in brackets: `[advisory] ...`. */
export function violations(rule: Rule, ...resources: readonly FakeResource[]): string[] {
  return reported([rule], resources).map(({ level, message }) =>
    level === undefined ? message : `[${level}] ${message}`,
  );
}

function validationArgs({ type, name, props, config, parents, parent }: FakeResource): ResourceValidationArgs {
  const urn = (types: readonly string[], of: string) => `urn:pulumi:dev::shop::${types.join("$")}::${of}`;
  return {
    type,
    name,
    props,
    urn: urn([...parents, type], name),
    opts: {
      protect: false,
      ignoreChanges: [],
      aliases: [],
      customTimeouts: { createSeconds: 0, updateSeconds: 0, deleteSeconds: 0 },
      additionalSecretOutputs: [],
      ...(parent === undefined ? {} : { parent: urn(parents, parent) }),
    },
    stackTags: new Map(),
    isType: () => false,
    asType: () => undefined,
    // The engine checks it against the policy's schema, as the SDK's type cannot say.
    getConfig: <T extends object>() => config as T,
    notApplicable: (reason) => {
      throw new Error(`not applicable: ${reason}`);
    },
  };
}
