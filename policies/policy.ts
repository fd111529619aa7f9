import type {
  PolicyConfigSchema,
  ReportViolation,
  ResourceValidationArgs,
  ResourceValidationPolicy,
} from "@pulumi/policy";
import { z } from "zod";
import type { CheckedResource } from "./checked-resource.ts";
import { componentFindings, unitType } from "./component-findings.ts";
import { emptyStack } from "./observed-stack.ts";
import type { Rule, RuleConfig, RuleFinding } from "./rule.ts";
import { leftOf, resourceVerdicts, type Verdict } from "./verdict.ts";

/** Policies over what the components of this package register, from rules. They share what they have seen of the stack. */
export function componentPolicies(rules: readonly Rule[]): ResourceValidationPolicy[] {
  const stack = emptyStack();
  return rules.map((rule) =>
    policyOf(rule, (resource, config) => componentFindings(rule, config, resource, stack), isAboutUnitsAlone(rule)),
  );
}

function isAboutUnitsAlone({ host, resource, onlyRegistered = false }: Rule): boolean {
  return host === undefined && resource === undefined && onlyRegistered;
}

/**
 * A policy of the SDK from a rule: its config is validated, each finding is reported, excepted or waived, and what is not
 * known yet is left to `known-before-update`.
 * @param isAboutUnits whether the SDK may skip all other resources without a look
 */
export function policyOf(
  rule: Rule,
  findings: (resource: CheckedResource, config: RuleConfig) => readonly RuleFinding[],
  isAboutUnits: boolean,
): ResourceValidationPolicy {
  const { name, page = "docs/policies.md", config, framework, level } = rule;
  const description = `${rule.description} See ${page}#${name}`;
  const validate = (resource: ResourceValidationArgs, report: ReportViolation) => {
    const now = new Date();
    for (const verdict of resourceVerdicts(
      rule,
      resource,
      resource.getConfig(),
      (given) => findings(resource, given),
      now,
    ))
      tell(verdict, description, now, report);
  };
  return {
    name,
    displayName: rule.displayName,
    description,
    severity: rule.severity,
    tags: [...rule.tags],
    ...(framework === undefined ? {} : { framework }),
    ...(level === undefined ? {} : { enforcementLevel: level }),
    remediationSteps: rule.remediationSteps,
    url: `${page}#${name}`,
    configSchema: configSchema(config),
    // By this property, which its own helpers set, the SDK skips resources of other types before it unpacks them.
    validateResource: isAboutUnits ? Object.assign(validate, { __pulumiType: unitType }) : validate,
  };
}

/** Reports one verdict, or says what lets it pass. */
function tell({ policy, message, passes }: Verdict, description: string, now: Date, report: ReportViolation): void {
  const note = (text: string) => report(advisory(policy, `${description}\n${text}`) as unknown as string);
  if (passes === undefined) report(message);
  else if (passes.by === "note") note(message);
  // What a pack writes to stderr is shown among the preview's diagnostics.
  else if (passes.by === "exception") console.warn(`${policy} excepted (${passes.reason}): ${message}`);
  else note(`waived until ${passes.until} (${leftOf(passes, now)}, ${passes.reason}): ${message}`);
}

/** A line that is shown but stops nothing. The SDK takes such an object in place of a message; its type does not say so. */
function advisory(name: string, message: string) {
  return { name, message, enforcementLevel: "advisory" };
}

function configSchema(config: z.ZodObject): PolicyConfigSchema {
  const { properties } = z.toJSONSchema(config, { target: "draft-7", io: "input" });
  // Both are JSON schema; the types differ in keywords that no config here uses.
  return { properties: (properties ?? {}) as PolicyConfigSchema["properties"] };
}
