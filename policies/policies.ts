import type { ResourceValidationPolicy } from "@pulumi/policy";
import { hostKeyPinned } from "./host-key-pinned.ts";
import { nonRootUser } from "./non-root-user.ts";
import { restartRequired } from "./restart-required.ts";
import { sandboxExposure } from "./sandbox-exposure.ts";
import { sandboxNoNewPrivileges } from "./sandbox-no-new-privileges.ts";
import { sandboxProtectSystem } from "./sandbox-protect-system.ts";
import { watchdogRequired } from "./watchdog-required.ts";

/** Every policy of the pack, in the order in which docs/policies.md explains them. */
export const policies: readonly ResourceValidationPolicy[] = [
  sandboxProtectSystem,
  sandboxNoNewPrivileges,
  sandboxExposure,
  nonRootUser,
  watchdogRequired,
  restartRequired,
  hostKeyPinned,
];
