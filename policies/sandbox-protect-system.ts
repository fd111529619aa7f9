import { z } from "zod";
import { protectSystemFindings } from "./checks/protect-system.ts";
import { exceptions } from "./exception.ts";
import { serviceRule } from "./rule.ts";

/** Requires `ProtectSystem=` of at least the configured strength. */
export const sandboxProtectSystem = serviceRule({
  name: "sandbox-protect-system",
  displayName: "System is read only",
  description: "Checks that a service cannot write to the operating system.",
  severity: "high",
  tags: ["sandbox"],
  framework: {
    name: "NIST SP 800-53",
    version: "Rev. 5",
    reference: "AC-6",
    specification: "Least Privilege",
  },
  remediationSteps:
    "Set ProtectSystem=strict. Give the service its own StateDirectory=, and name other places that it writes to in ReadWritePaths=.",
  config: z.strictObject({
    minimum: z.enum(["full", "strict"]).default("full").describe("Weakest value of ProtectSystem= that passes."),
    except: exceptions,
  }),
  service: ({ model }, config) => protectSystemFindings(model, config),
});
