import { z } from "zod";
import { restartFindings, restartsAfterFailure } from "./checks/restart.ts";
import { exceptions } from "./exception.ts";
import { serviceRule } from "./rule.ts";

/** Requires `Restart=` of services that run until they are stopped. */
export const restartRequired = serviceRule({
  name: "restart-required",
  displayName: "Restart after failure",
  description: "Checks that a long-running service is restarted when it fails.",
  severity: "medium",
  tags: ["availability"],
  remediationSteps: "Set Restart=on-failure and RestartSec=5s; set Type=oneshot where the service ends by itself.",
  config: z.strictObject({
    accept: z
      .array(z.enum(restartsAfterFailure))
      .min(1)
      .default([...restartsAfterFailure])
      .describe("Values of Restart= that pass."),
    except: exceptions,
  }),
  service: ({ model }, config) => restartFindings(model, config),
});
