import type { ResourceValidationPolicy } from "@pulumi/policy";
import { escapeHatches } from "./escape-hatches.ts";
import { exposureRatchet } from "./exposure-ratchet.ts";
import { healthCheckRequired } from "./health-check-required.ts";
import { hostKeyPinned } from "./host-key-pinned.ts";
import { knownBeforeUpdateRule } from "./known-before-update.ts";
import { lintRules } from "./lint-rules.ts";
import { nonRootUser } from "./non-root-user.ts";
import { componentPolicies } from "./policy.ts";
import { resourceLimits } from "./resource-limits.ts";
import { restartPaced } from "./restart-paced.ts";
import { restartRequired } from "./restart-required.ts";
import type { Rule } from "./rule.ts";
import { sandboxExposure } from "./sandbox-exposure.ts";
import { sandboxNoNewPrivileges } from "./sandbox-no-new-privileges.ts";
import { sandboxProtectSystem } from "./sandbox-protect-system.ts";
import { sandboxTier } from "./sandbox-tier.ts";
import { sentAsReviewed } from "./sent-as-reviewed.ts";
import { socketLoopback } from "./socket-loopback.ts";
import { timerJitter } from "./timer-jitter.ts";
import { waiversRule } from "./waivers.ts";
import { watchdogRequired } from "./watchdog-required.ts";

/** The rules that docs/policies.md explains, in its order. */
export const ownRules: readonly Rule[] = [
  sandboxProtectSystem,
  sandboxNoNewPrivileges,
  sandboxTier,
  sandboxExposure,
  exposureRatchet,
  nonRootUser,
  watchdogRequired,
  restartRequired,
  restartPaced,
  resourceLimits,
  socketLoopback,
  timerJitter,
  healthCheckRequired,
  hostKeyPinned,
  escapeHatches,
  sentAsReviewed,
  waiversRule(() => ids),
];

/** Every rule of the pack: the lints of docs/lints.md too. The last one tells what the others had to leave. */
export const rules: readonly Rule[] = [...ownRules, ...lintRules, knownBeforeUpdateRule(() => advisoryIds)];

const advisoryIds: ReadonlySet<string> = new Set(
  rules.filter(({ level }) => level === "advisory").map(({ name }) => name),
);
const ids: ReadonlySet<string> = new Set(rules.map(({ name }) => name));

/** Every policy of the pack. */
export const policies: readonly ResourceValidationPolicy[] = componentPolicies(rules);
