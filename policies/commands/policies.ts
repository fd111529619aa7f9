import type { ResourceValidationPolicy } from "@pulumi/policy";
import type { CheckedResource } from "../checked-resource.ts";
import { knownBeforeUpdateRule } from "../known-before-update.ts";
import { lintRules } from "../lint-rules.ts";
import { emptyStack } from "../observed-stack.ts";
import { policyOf } from "../policy.ts";
import type { Rule } from "../rule.ts";
import { advisoryNames, unitRules } from "../unit-rules.ts";
import { reading } from "../unknown-values.ts";
import { commandHostKey } from "./command-host-key.ts";
import { awaitedSource, copiedSource } from "./copied-source.ts";
import { unitsReadable } from "./units-readable.ts";
import { type WrittenUnits, writtenUnits } from "./written-units.ts";

/** The rules of the pack for stacks without components of this package. All but two are those of the other pack. */
export const commandRules: readonly Rule[] = [
  ...unitRules,
  commandHostKey,
  unitsReadable,
  ...lintRules,
  knownBeforeUpdateRule(() => advisoryIds),
];

const advisoryIds = advisoryNames(commandRules);

/** Policies over the units that commands write. */
export const commandPolicies: readonly ResourceValidationPolicy[] = policiesOverCommands(commandRules);

/** Policies over the units that commands write, from rules. */
export function policiesOverCommands(rules: readonly Rule[]): ResourceValidationPolicy[] {
  // No component of this package is in it.
  const stack = emptyStack();
  return rules.map((rule) => {
    const policy = policyOf(
      rule,
      (resource, config) => {
        const found = rule.resource?.(resource, config, stack) ?? [];
        const { unit } = rule;
        if (unit === undefined) return found;
        const { units } = unitsOf(resource);
        return [...found, ...units.flatMap((one) => unit(one, config).map((each) => ({ about: one, ...each })))];
      },
      false,
    );
    const validate = policy.validateResource;
    if (typeof validate !== "function") return policy;
    return {
      ...policy,
      validateResource: (resource, report) => {
        const waiting = awaitedSource(resource);
        return waiting === undefined ? validate(resource, report) : waiting.then(() => validate(resource, report));
      },
    };
  });
}

let last: { readonly inputs: string; readonly written: WrittenUnits } | undefined;

/** Many rules ask for the same resource one after another. */
function unitsOf(resource: CheckedResource): WrittenUnits {
  const keys = ["create", "update", "stdin", "localPath", "remotePath"];
  const source = reading(() => copiedSource(resource));
  const inputs = JSON.stringify([resource.urn, source, keys.map((key) => reading(() => resource.props[key]))]);
  if (last?.inputs !== inputs) last = { inputs, written: writtenUnits(resource) };
  return last.written;
}
