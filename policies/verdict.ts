import type { z } from "zod";
import { type Waiver, waiverDaysLeft, waiverOf } from "../systemd/lints/waiver.ts";
import { UnitSyntaxError } from "../systemd/unit-file.ts";
import type { CheckedResource } from "./checked-resource.ts";
import { findingMessage } from "./checks/finding.ts";
import { type Exception, exceptionFor } from "./exception.ts";
import { waiversOf } from "./observed-stack.ts";
import type { Rule, RuleConfig, RuleFinding, Subject } from "./rule.ts";
import { postpone, UnknownValueError } from "./unknown-values.ts";

/** What one policy says of one resource, and what lets it pass. */
export interface Verdict {
  readonly policy: string;
  /** The unit, or another resource, that it is about. */
  readonly about: Pick<Subject, "name" | "urn">;
  /** One line, which begins with the name of what it is about. */
  readonly message: string;
  /** Why it stops nothing; undefined where it stops what the policy's level stops. */
  readonly passes?: Passes;
}

/** What lets a finding pass: it is only to be read, the config excepts it, or its definition waives it. */
export type Passes =
  | { readonly by: "note" }
  | { readonly by: "exception"; readonly reason: string }
  | ({ readonly by: "waiver" } & Waiver);

/**
 * What a rule says of a resource, with its config validated, exceptions and waivers applied. What is not known yet is left to
 * `known-before-update`.
 * @param given the policy's config, unchecked
 * @param findings what the rule finds with a config
 */
export function resourceVerdicts(
  rule: Rule,
  resource: CheckedResource,
  given: unknown,
  findings: (config: RuleConfig) => readonly RuleFinding[],
  now: Date,
): readonly Verdict[] {
  const { name: policy } = rule;
  const about = { name: resource.name, urn: resource.urn };
  // The CLI checks values but lets keys pass that it does not know: a misspelt one would silently be the default.
  const parsed = checkedConfig(rule, given);
  if (!parsed.success) {
    const message = `the config of ${policy} is wrong, so it checks nothing: ${configProblems(parsed.error)}`;
    return [{ policy, about, message }];
  }
  const own = (): Subject => ({ ...about, waive: waiversOf(resource.props) });
  try {
    return findings(parsed.data).map((finding) => verdictOf(rule, finding, own, parsed.data.except, now));
  } catch (error) {
    if (error instanceof UnknownValueError) {
      postpone(resource.urn, { policy, what: error.what });
      return [];
    }
    if (error instanceof UnitSyntaxError) {
      return [{ policy, about, message: `${resource.name}: systemd refuses the unit: ${error.message}` }];
    }
    throw error;
  }
}

const checkedConfigs = new WeakMap<
  Rule,
  { readonly given: unknown; readonly parsed: z.ZodSafeParseResult<RuleConfig> }
>();

/** The config of a policy after its schema; the same one comes with each resource. */
function checkedConfig(rule: Rule, given: unknown): z.ZodSafeParseResult<RuleConfig> {
  const before = checkedConfigs.get(rule);
  if (before !== undefined && before.given === given) return before.parsed;
  const parsed = rule.config.safeParse(given);
  checkedConfigs.set(rule, { given, parsed });
  return parsed;
}

function verdictOf(
  { name: policy, isFinal = false }: Rule,
  { finding, about: subject, isNote = false }: RuleFinding,
  own: () => Subject,
  exceptions: readonly Exception[],
  now: Date,
): Verdict {
  const { name, urn, waive } = subject ?? own();
  const about = { name, urn };
  const message = typeof finding === "string" ? `${name}: ${finding}` : findingMessage(name, finding);
  if (isNote) return { policy, about, message, passes: { by: "note" } };
  const exception = exceptionFor(about, exceptions);
  if (exception !== undefined) return { policy, about, message, passes: { by: "exception", reason: exception.reason } };
  const waiver = isFinal ? undefined : waiverOf(waive, policy, now);
  if (waiver !== undefined) return { policy, about, message, passes: { by: "waiver", ...waiver } };
  const over = isFinal ? undefined : waive.find((one) => one.policy === policy);
  return {
    policy,
    about,
    message: over === undefined ? message : `${message} (its waiver ended on ${over.until})`,
  };
}

/** `131 days left`, or that it is the last one. */
export function leftOf(waiver: Waiver, now: Date): string {
  const days = waiverDaysLeft(waiver, now);
  return days === 0 ? "last day" : `${days} ${days === 1 ? "day" : "days"} left`;
}

/** Each problem of a policy's config, with its path. */
export function configProblems(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => [...path, message].join(": ")).join("; ");
}
