import { z } from "zod";
import { nonRootUserFindings } from "./checks/non-root-user.ts";
import { exceptions } from "./exception.ts";
import { serviceRule } from "./rule.ts";

/** Requires that no process of a service runs as root. */
export const nonRootUser = serviceRule({
  name: "non-root-user",
  displayName: "Not root",
  description: "Checks that no process of a service runs as root.",
  severity: "high",
  tags: ["sandbox"],
  framework: {
    name: "NIST SP 800-53",
    version: "Rev. 5",
    reference: "AC-6",
    specification: "Least Privilege",
  },
  remediationSteps:
    "Set User= to an account of the service's own, or DynamicUser=yes. A port below 1024 needs only a socket unit or AmbientCapabilities=CAP_NET_BIND_SERVICE.",
  config: z.strictObject({ except: exceptions }),
  service: ({ name, model }) => nonRootUserFindings(name, model),
});
