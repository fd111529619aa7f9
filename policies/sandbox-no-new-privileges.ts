import { z } from "zod";
import { noNewPrivilegesFindings } from "./checks/no-new-privileges.ts";
import { exceptions } from "./exception.ts";
import { serviceRule } from "./rule.ts";

/** Requires `NoNewPrivileges=yes`. */
export const sandboxNoNewPrivileges = serviceRule({
  name: "sandbox-no-new-privileges",
  displayName: "No new privileges",
  description: "Checks that the processes of a service cannot gain privileges.",
  severity: "high",
  tags: ["sandbox"],
  framework: {
    name: "NIST SP 800-53",
    version: "Rev. 5",
    reference: "AC-6(10)",
    specification: "Prohibit Non-privileged Users from Executing Privileged Functions",
  },
  remediationSteps:
    "Set NoNewPrivileges=yes. Where the service calls sudo, let a second service or a timer do that work under its own account.",
  config: z.strictObject({ except: exceptions }),
  service: ({ model }) => noNewPrivilegesFindings(model),
});
