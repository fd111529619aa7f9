import { z } from "zod";
import type { CheckedUnit } from "./checked-unit.ts";
import { assignments } from "./checks/service-directives.ts";
import { exceptions } from "./exception.ts";
import { rule } from "./rule.ts";

/** Requires a random delay of timers that would go off on many hosts at once. */
export const timerJitter = rule({
  name: "timer-jitter",
  displayName: "Timers with jitter",
  description: "Checks that a timer of several hosts does not go off on all of them in the same second.",
  severity: "medium",
  tags: ["availability"],
  remediationSteps: "Set randomizedDelaySec (RandomizedDelaySec=), a good part of the pause between two runs.",
  config: z.strictObject({
    hosts: z.number().int().min(1).default(2).describe("Number of hosts from which on a timer needs a random delay."),
    except: exceptions,
  }),
  host: (host, { hosts }) =>
    host.units.filter(goesOffAtOnce).flatMap((timer) => {
      const { timerHosts } = host.stack;
      const on = timerHosts.get(timer.name) ?? new Set();
      timerHosts.set(timer.name, on.add(host.urn));
      if (on.size < hosts) return [];
      return [
        {
          about: timer,
          finding: {
            found: `[Timer] RandomizedDelaySec= is not set, and ${hosts === 1 ? "it goes by the clock" : "other hosts have it too"}`,
            wanted: "a delay such as 10min",
            why: "what it starts would begin on all of them in the same second, and hit what they share",
          },
        },
      ];
    }),
});

/** Whether it goes by the clock, without a delay. A pause after a start or a boot differs from host to host by itself. */
function goesOffAtOnce({ name, urn, model }: CheckedUnit): boolean {
  // A health check asks its own host.
  if (!name.endsWith(".timer") || urn.includes("systemd:index:HealthCheck$")) return false;
  const isSet = (directive: string) => !["", "0"].includes(assignments(model, directive, "Timer").at(-1) ?? "");
  return isSet("OnCalendar") && !isSet("RandomizedDelaySec") && !isSet("RandomizedOffsetSec");
}
