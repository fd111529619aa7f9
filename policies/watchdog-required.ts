import { z } from "zod";
import { parsedTimeSpan, timeSpanProblem } from "../systemd/values/time-span.ts";
import { watchdogFindings } from "./checks/watchdog.ts";
import { exceptions } from "./exception.ts";
import { servicePolicy } from "./service-policy.ts";

const timeSpan = z.string().superRefine((text, context) => {
  const problem = timeSpanProblem(text);
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  else if (!Number.isFinite(parsedTimeSpan(text)) || parsedTimeSpan(text) === 0) {
    context.addIssue({
      code: "custom",
      message: `${JSON.stringify(text)} is no bound; write a time span such as 5min`,
    });
  }
});

/** Requires a watchdog, and a restart after it, of services that can be watched. */
export const watchdogRequired = servicePolicy({
  name: "watchdog-required",
  displayName: "Watchdog",
  description: "Checks that a notify service that hangs is killed and restarted.",
  severity: "medium",
  tags: ["availability"],
  remediationSteps:
    "Set WatchdogSec= to about three times the longest pause of a healthy service, send WATCHDOG=1 at least twice as often, and set Restart=on-failure.",
  config: z.strictObject({
    minimum: timeSpan.default("1s").describe("Shortest WatchdogSec= that passes, a time span such as 5s."),
    maximum: timeSpan.default("10min").describe("Longest WatchdogSec= that passes, a time span such as 5min."),
    except: exceptions,
  }),
  findings: (_name, unit, config) => watchdogFindings(unit, config),
});
