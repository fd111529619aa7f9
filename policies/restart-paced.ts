import { z } from "zod";
import { restartPaceFindings } from "./checks/restart-pace.ts";
import { exceptions } from "./exception.ts";
import { boundingTimeSpan, serviceRule } from "./rule.ts";

/** Requires a pause of sane length between restarts, and no failure that takes the host down. */
export const restartPaced = serviceRule({
  name: "restart-paced",
  displayName: "Pace of restarts",
  description: "Checks that a service is neither restarted in a rush nor too late, and that its failure is its own.",
  severity: "medium",
  tags: ["availability"],
  remediationSteps:
    "Set RestartSec=5s. With StartLimitIntervalSec=0 a service is tried for ever at that pace; with a limit, systemd gives it up after StartLimitBurst= starts. Leave StartLimitAction= and FailureAction= alone.",
  config: z.strictObject({
    minimum: boundingTimeSpan.default("1s").describe("Shortest RestartSec= that passes, a time span such as 1s."),
    maximum: boundingTimeSpan.default("10min").describe("Longest RestartSec= that passes, a time span such as 5min."),
    except: exceptions,
  }),
  service: ({ model }, limits) => restartPaceFindings(model, limits),
});
