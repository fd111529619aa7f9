import { z } from "zod";
import { tierFindings, tierNames } from "./checks/tier.ts";
import { exceptions } from "./exception.ts";
import { serviceRule } from "./rule.ts";

const tier = z.enum(tierNames).default("basic");

/** Requires the directives of a tier, by the kind of service. */
export const sandboxTier = serviceRule({
  name: "sandbox-tier",
  displayName: "Tier of the sandbox",
  description: "Checks that a service has all directives of its environment's sandbox tier.",
  severity: "high",
  tags: ["sandbox"],
  framework: {
    name: "NIST SP 800-53",
    version: "Rev. 5",
    reference: "SC-39",
    specification: "Process Isolation",
  },
  remediationSteps:
    "Set the directives that the message names, or take a profile of the service components that has them. docs/hardening.md says what each may break.",
  config: z.strictObject({
    daemon: tier.describe("Tier of services that run until they are stopped."),
    job: tier.describe("Tier of services that end by themselves (Type=oneshot)."),
    template: tier.describe("Tier of templates and instances (NAME@.service)."),
    except: exceptions,
  }),
  service: ({ name, model }, tiers) => tierFindings(name, model, tiers),
});
