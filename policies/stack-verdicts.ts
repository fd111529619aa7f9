import type { EnforcementLevel, Severity } from "@pulumi/policy";
import type { CheckedResource } from "./checked-resource.ts";
import { componentFindings } from "./component-findings.ts";
import { emptyStack } from "./observed-stack.ts";
import { ruleSettings } from "./pack-config.ts";
import { rules } from "./policies.ts";
import { hostOfCommand, typeAndName } from "./sent-units.ts";
import { withUnknownInputs } from "./unknown-inputs.ts";
import { takePostponed } from "./unknown-values.ts";
import { resourceVerdicts, type Verdict } from "./verdict.ts";

// The one entry of this room for others: what the pack says of a stack, without an engine.
export { PackConfigError } from "./pack-config.ts";
export type { Passes } from "./verdict.ts";

/** A resource that a program registered, as an engine would show it to the pack. */
export interface RegisteredResource {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  /** URN of its parent; empty for none. */
  readonly parent: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Paths of inputs that are not known before an update: `sections.Service.User`. */
  readonly unknown: readonly string[];
}

/** What a policy says, with what a reader needs beside it. */
export interface StackVerdict extends Verdict {
  /** What the policy's finding does to an update. */
  readonly level: Exclude<EnforcementLevel, "disabled">;
  readonly severity: Severity;
  /** What the policy asks for, in one sentence. */
  readonly asks: string;
  readonly fix: string;
  /** `docs/policies.md#sandbox-tier` */
  readonly page: string;
  /** Name of the Host where it is about one host alone; else it is about every host that has the unit. */
  readonly host?: string;
}

/** How the pack is asked. */
export interface PackQuestion {
  /** Content of a file for `--policy-pack-config`, parsed. */
  readonly config: unknown;
  /** Ids of policies that are left out. @default none */
  readonly except?: readonly string[];
  readonly now: Date;
}

/**
 * Everything that the pack says of a stack, in the order of its resources.
 * @throws PackConfigError
 */
export function stackVerdicts(
  resources: readonly RegisteredResource[],
  { config, except, now }: PackQuestion,
): readonly StackVerdict[] {
  const settings = ruleSettings(rules, config);
  const stack = emptyStack();
  return ordered(resources).flatMap((registered) => {
    const resource = checkedResource(registered);
    const host = resource.type === hostType ? resource.name : hostNameOf(resource);
    const verdicts = rules.flatMap((rule): readonly StackVerdict[] => {
      const { level = "disabled", config: own = noConfig } = settings.get(rule.name) ?? {};
      if (level === "disabled" || except?.includes(rule.name)) return [];
      const find = (checked: Parameters<typeof componentFindings>[1]) =>
        componentFindings(rule, checked, resource, stack);
      return resourceVerdicts(rule, resource, own, find, now).map((verdict) => ({
        ...verdict,
        level,
        severity: rule.severity,
        asks: rule.description,
        fix: rule.remediationSteps,
        page: `${rule.page ?? "docs/policies.md"}#${rule.name}`,
        ...(host === undefined ? {} : { host }),
      }));
    });
    // Where the policy that tells of them does not run.
    takePostponed(resource.urn);
    return verdicts;
  });
}

const noConfig = {};
const hostType = "systemd:index:Host";

function hostNameOf(resource: CheckedResource): string | undefined {
  const urn = hostOfCommand(resource);
  return urn === undefined ? undefined : typeAndName(urn).name;
}

/** Components before what they send, else by URN: a program registers them in any order. */
function ordered(resources: readonly RegisteredResource[]): readonly RegisteredResource[] {
  const rank = ({ type }: RegisteredResource) => (type.startsWith("command:") ? 2 : type === hostType ? 1 : 0);
  return resources.toSorted((a, b) => rank(a) - rank(b) || (a.urn < b.urn ? -1 : 1));
}

function checkedResource({ type, name, urn, parent, inputs, unknown }: RegisteredResource): CheckedResource {
  return { type, name, urn, props: withUnknownInputs(inputs, unknown), opts: { parent } };
}
