import type { ResourceValidationArgs, ResourceValidationPolicy } from "@pulumi/policy";
import type { UnitModel } from "../../systemd/sections.ts";

/** Why a policy says that it does not apply. */
export class NotApplicable extends Error {}

/** What the engine gives a policy, for one resource. */
export interface FakeResource {
  type: string;
  name: string;
  props: Record<string, unknown>;
  config: Record<string, unknown>;
  /** Types of the components around it, outermost first. */
  parents: string[];
}

/** A service as a component registers it. Tests mutate what this returns. */
export function serviceResource(service: Record<string, string | string[]>, name = "api.service"): FakeResource {
  const sections: UnitModel = { Unit: { Description: "orders" }, Service: service };
  return { type: "systemd:index:Unit", name, props: { text: "", sections }, config: {}, parents: [] };
}

/** The messages that a policy reports for a resource, in order. */
export function violations(policy: ResourceValidationPolicy, resource: FakeResource): string[] {
  const messages: string[] = [];
  const validate = policy.validateResource;
  if (typeof validate !== "function") throw new Error(`${policy.name} has no single validateResource`);
  void validate(validationArgs(resource), (message) => messages.push(message));
  return messages;
}

function validationArgs({ type, name, props, config, parents }: FakeResource): ResourceValidationArgs {
  return {
    type,
    name,
    props,
    urn: `urn:pulumi:dev::shop::${[...parents, type].join("$")}::${name}`,
    opts: {
      protect: false,
      ignoreChanges: [],
      aliases: [],
      customTimeouts: { createSeconds: 0, updateSeconds: 0, deleteSeconds: 0 },
      additionalSecretOutputs: [],
    },
    stackTags: new Map(),
    isType: () => false,
    asType: () => undefined,
    // The engine checks it against the policy's schema, as the SDK's type cannot say.
    getConfig: <T extends object>() => config as T,
    notApplicable: (reason) => {
      throw new NotApplicable(reason);
    },
  };
}
