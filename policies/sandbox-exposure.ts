import { z } from "zod";
import { exposureDirectives } from "../systemd/exposure.ts";
import { throwUnknown } from "./checked-unit.ts";
import { exposureFindings } from "./checks/exposure.ts";
import { exceptions } from "./exception.ts";
import { serviceRule } from "./rule.ts";

/** Sets a ceiling on the score that `systemd-analyze security` gives a service. */
export const sandboxExposure = serviceRule({
  name: "sandbox-exposure",
  displayName: "Exposure",
  description: "Checks that the exposure score of a service is below the ceiling.",
  severity: "high",
  tags: ["sandbox"],
  framework: {
    name: "NIST SP 800-53",
    version: "Rev. 5",
    reference: "CM-7",
    specification: "Least Functionality",
  },
  remediationSteps:
    "Set the directives that the message proposes, one at a time, and run the service's own tests after each. The service components set most of them by default.",
  config: z.strictObject({
    maximum: z
      .number()
      .min(0)
      .max(10)
      .default(2.5)
      .describe("Highest score of systemd-analyze security that passes, 0.0 (sealed) to 10.0 (open)."),
    except: exceptions,
  }),
  service: (unit, limits) => {
    for (const directive of exposureDirectives) throwUnknown(`Service.${directive}`, unit.unknown);
    return exposureFindings(unit.name, unit.model, limits);
  },
});
