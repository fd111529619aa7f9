import type { ResourceValidationPolicy } from "@pulumi/policy";
import { escapeHatches } from "./escape-hatches.ts";
import { healthCheckRequired } from "./health-check-required.ts";
import { hostKeyPinned } from "./host-key-pinned.ts";
import { knownBeforeUpdateRule } from "./known-before-update.ts";
import { lintRules } from "./lint-rules.ts";
import { componentPolicies } from "./policy.ts";
import type { Rule } from "./rule.ts";
import { sentAsReviewed } from "./sent-as-reviewed.ts";
import { timerJitter } from "./timer-jitter.ts";
import { advisoryNames, unitRules } from "./unit-rules.ts";
import { waiversRule } from "./waivers.ts";

/** The rules that docs/policies.md explains, in its order. */
export const ownRules: readonly Rule[] = [
  ...unitRules,
  timerJitter,
  healthCheckRequired,
  hostKeyPinned,
  escapeHatches,
  sentAsReviewed,
  waiversRule(() => ids),
];

/** Every rule of the pack: the lints of docs/lints.md too. The last one tells what the others had to leave. */
export const rules: readonly Rule[] = [...ownRules, ...lintRules, knownBeforeUpdateRule(() => advisoryIds)];

const advisoryIds = advisoryNames(rules);
const ids: ReadonlySet<string> = new Set(rules.map(({ name }) => name));

/** Every policy of the pack. */
export const policies: readonly ResourceValidationPolicy[] = componentPolicies(rules);
