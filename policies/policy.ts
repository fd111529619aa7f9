import type {
  PolicyConfigSchema,
  ReportViolation,
  ResourceValidationArgs,
  ResourceValidationPolicy,
} from "@pulumi/policy";
import { z } from "zod";
import { type Waiver, waiverDaysLeft, waiverOf } from "../systemd/lints/waiver.ts";
import { UnitSyntaxError } from "../systemd/unit-file.ts";
import { findingMessage } from "./checks/finding.ts";
import { type Exception, exceptionFor } from "./exception.ts";
import { emptyStack, type ObservedStack, observe, registeredUnit, waiversOf } from "./observed-stack.ts";
import type { Rule, RuleConfig, RuleFinding, Subject } from "./rule.ts";
import { checkedHost } from "./sent-units.ts";
import { postpone, UnknownValueError } from "./unknown-values.ts";

const unitType = "systemd:index:Unit";

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

function componentFindings(
  { unit, host, resource: other, onlyRegistered = false }: Rule,
  config: RuleConfig,
  resource: ResourceValidationArgs,
  stack: ObservedStack,
): readonly RuleFinding[] {
  observe(stack, resource);
  const found: RuleFinding[] = [];
  if (unit !== undefined && resource.type === unitType) {
    const checked = registeredUnit(stack, resource);
    if (checked !== undefined) found.push(...unit(checked, config));
  }
  const checked = checkedHost(resource, stack);
  if (checked !== undefined) {
    if (unit !== undefined && !onlyRegistered) {
      // Such as what is left out for an older systemd, or what a transform has changed.
      const changed = checked.units.filter(({ isChanged }) => isChanged === true);
      for (const sent of changed) found.push(...unit(sent, config).map((finding) => ({ about: sent, ...finding })));
    }
    if (host !== undefined) found.push(...host(checked, config));
  }
  if (other !== undefined) found.push(...other(resource, config, stack));
  return found;
}

/**
 * A policy of the SDK from a rule: its config is validated, each finding is reported, excepted or waived, and what is not
 * known yet is left to `known-before-update`.
 * @param isAboutUnits whether the SDK may skip all other resources without a look
 */
export function policyOf(
  rule: Rule,
  findings: (resource: ResourceValidationArgs, config: RuleConfig) => readonly RuleFinding[],
  isAboutUnits: boolean,
): ResourceValidationPolicy {
  const { name, page = "docs/policies.md", config, framework, level } = rule;
  const description = `${rule.description} See ${page}#${name}`;
  const validate = (resource: ResourceValidationArgs, report: ReportViolation) => {
    if (isAboutUnits && resource.type !== unitType) return;
    // The CLI checks values but lets keys pass that it does not know: a misspelt one would silently be the default.
    const parsed = config.safeParse(resource.getConfig());
    if (!parsed.success) {
      report(`the config of ${name} is wrong, so it checks nothing: ${configProblems(parsed.error)}`);
      return;
    }
    const told = teller(rule, description, resource, parsed.data.except, report);
    try {
      for (const finding of findings(resource, parsed.data)) told(finding);
    } catch (error) {
      if (error instanceof UnknownValueError) postpone(resource.urn, { policy: name, what: error.what });
      else if (error instanceof UnitSyntaxError) report(`${resource.name}: systemd refuses the unit: ${error.message}`);
      else throw error;
    }
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

/** Reports one finding, or says what lets it pass. */
function teller(
  { name, isFinal = false }: Rule,
  description: string,
  resource: ResourceValidationArgs,
  exceptions: readonly Exception[],
  report: ReportViolation,
): (finding: RuleFinding) => void {
  const own: Subject = { name: resource.name, urn: resource.urn, waive: waiversOf(resource.props) };
  const note = (message: string) => report(advisory(name, `${description}\n${message}`) as unknown as string);
  return ({ finding, about = own, isNote = false }) => {
    const message = typeof finding === "string" ? `${about.name}: ${finding}` : findingMessage(about.name, finding);
    if (isNote) {
      note(message);
      return;
    }
    const exception = exceptionFor(about, exceptions);
    // What a pack writes to stderr is shown among the preview's diagnostics.
    if (exception !== undefined) return console.warn(`${name} excepted (${exception.reason}): ${message}`);
    const now = new Date();
    const waiver = isFinal ? undefined : waiverOf(about.waive, name, now);
    if (waiver !== undefined)
      return note(`waived until ${waiver.until} (${leftOf(waiver, now)}, ${waiver.reason}): ${message}`);
    const over = isFinal ? undefined : about.waive.find(({ policy }) => policy === name);
    report(over === undefined ? message : `${message} (its waiver ended on ${over.until})`);
  };
}

/** `131 days left`, or that it is the last one. */
export function leftOf(waiver: Waiver, now: Date): string {
  const days = waiverDaysLeft(waiver, now);
  return days === 0 ? "last day" : `${days} ${days === 1 ? "day" : "days"} left`;
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

function configProblems(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => [...path, message].join(": ")).join("; ");
}
