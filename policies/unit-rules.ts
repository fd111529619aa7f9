import { exposureRatchet } from "./exposure-ratchet.ts";
import { nonRootUser } from "./non-root-user.ts";
import { resourceLimits } from "./resource-limits.ts";
import { restartPaced } from "./restart-paced.ts";
import { restartRequired } from "./restart-required.ts";
import type { Rule } from "./rule.ts";
import { sandboxExposure } from "./sandbox-exposure.ts";
import { sandboxNoNewPrivileges } from "./sandbox-no-new-privileges.ts";
import { sandboxProtectSystem } from "./sandbox-protect-system.ts";
import { sandboxTier } from "./sandbox-tier.ts";
import { socketLoopback } from "./socket-loopback.ts";
import { watchdogRequired } from "./watchdog-required.ts";

/** The rules of docs/policies.md that need nothing but the unit itself, in its order. Both packs have them. */
export const unitRules: readonly Rule[] = [
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
];

/** Names of those that stop nothing where the config says no level. */
export function advisoryNames(rules: readonly Rule[]): ReadonlySet<string> {
  return new Set(rules.filter(({ level }) => level === "advisory").map(({ name }) => name));
}
