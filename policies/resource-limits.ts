import { z } from "zod";
import { limitNames, resourceLimitFindings } from "./checks/resource-limits.ts";
import { exceptions } from "./exception.ts";
import { serviceRule } from "./rule.ts";

/** Requires limits on what a service takes of its host. */
export const resourceLimits = serviceRule({
  name: "resource-limits",
  displayName: "Resource limits",
  description: "Checks that a service cannot take all of its host.",
  severity: "medium",
  tags: ["availability"],
  framework: {
    name: "NIST SP 800-53",
    version: "Rev. 5",
    reference: "SC-6",
    specification: "Resource Availability",
  },
  remediationSteps:
    "Set MemoryMax= to about twice what the service takes at its busiest: systemctl show -p MemoryPeak (systemd 255) or MemoryCurrent says it.",
  config: z.strictObject({
    require: z
      .array(z.enum(limitNames as [(typeof limitNames)[number]]))
      .min(1)
      .default(["MemoryMax"])
      .describe("Directives that must hold a limit: MemoryMax, TasksMax, CPUQuota."),
    except: exceptions,
  }),
  service: ({ model }, limits) => resourceLimitFindings(model, limits),
});
