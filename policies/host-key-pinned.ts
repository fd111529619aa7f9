import { z } from "zod";
import type { CheckedResource } from "./checked-resource.ts";
import type { Finding } from "./checks/finding.ts";
import { hostKeyFindings } from "./checks/host-key.ts";
import { exceptions } from "./exception.ts";
import type { ObservedStack } from "./observed-stack.ts";
import { rule } from "./rule.ts";
import { reading } from "./unknown-values.ts";

/** Requires that the SSH key of every host is given. */
export const hostKeyPinned = rule({
  name: "host-key-pinned",
  displayName: "Host key pinned",
  description: "Checks that a host is known by its public key.",
  severity: "critical",
  tags: ["ssh"],
  framework: {
    name: "NIST SP 800-53",
    version: "Rev. 5",
    reference: "SC-23",
    specification: "Session Authenticity",
  },
  remediationSteps: "Set connection.hostKey to the host's public key, read on the host itself or checked by hand.",
  config: z.strictObject({ except: exceptions }),
  resource: (resource, _config, stack) => findingsOf(resource, stack).map((finding) => ({ finding })),
});

function findingsOf({ type, props, opts }: CheckedResource, stack: ObservedStack): readonly Finding[] {
  if (type === "systemd:index:Host") {
    return hostKeyFindings({
      hostKeyPinned: props.hostKeyPinned === true,
      insecureSkipHostKey: props.insecureSkipHostKey,
    });
  }
  const host = opts.parent === undefined ? undefined : stack.hosts.get(opts.parent);
  // What a Host says of itself is found there.
  if (!type.startsWith("command:remote:") || host === undefined || host.skipsHostKey) return [];
  return hostKeyFindings({ hostKeyPinned: isPinned(props.connection) && isPinned(props.connection?.proxy) });
}

/** Whether an endpoint has a key; one that is not there needs none, one that is not known yet may have one. */
export function isPinned(endpoint: { hostKey?: unknown } | undefined): boolean {
  // A secret that is not known yet is an empty text here.
  if (typeof endpoint !== "object") return true;
  return !reading(() => endpoint.hostKey).isKnown || endpoint.hostKey !== undefined;
}
