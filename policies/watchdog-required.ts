import { z } from "zod";
import { watchdogFindings } from "./checks/watchdog.ts";
import { exceptions } from "./exception.ts";
import { boundingTimeSpan, serviceRule } from "./rule.ts";

/** Requires a watchdog, and a restart after it, of services that can be watched. */
export const watchdogRequired = serviceRule({
  name: "watchdog-required",
  displayName: "Watchdog",
  description: "Checks that a notify service that hangs is killed and restarted.",
  severity: "medium",
  tags: ["availability"],
  remediationSteps:
    "Set WatchdogSec= to about three times the longest pause of a healthy service, send WATCHDOG=1 at least twice as often, and set Restart=on-failure.",
  config: z.strictObject({
    minimum: boundingTimeSpan.default("1s").describe("Shortest WatchdogSec= that passes, a time span such as 5s."),
    maximum: boundingTimeSpan.default("10min").describe("Longest WatchdogSec= that passes, a time span such as 5min."),
    except: exceptions,
  }),
  service: ({ model }, config) => watchdogFindings(model, config),
});
