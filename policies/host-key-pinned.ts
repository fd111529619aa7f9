import { z } from "zod";
import { hostKeyFindings } from "./checks/host-key.ts";
import { exceptions } from "./exception.ts";
import { findingsPolicy } from "./findings-policy.ts";

/** Requires that the SSH key of every host is given. */
export const hostKeyPinned = findingsPolicy({
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
  resourceType: "systemd:index:Host",
  findings: ({ props }) =>
    hostKeyFindings({
      hostKeyPinned: props.hostKeyPinned === true,
      insecureSkipHostKey: props.insecureSkipHostKey,
    }),
});
