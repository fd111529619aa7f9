import { z } from "zod";
import { exceptions } from "./exception.ts";
import { rule } from "./rule.ts";
import { takePostponed } from "./unknown-values.ts";

/**
 * Requires that what a policy needs is known at preview. The last of all policies: it tells what the others left.
 * @param advisoryRules ids of those that are no gates, so that they may wait
 */
export function knownBeforeUpdateRule(advisoryRules: () => ReadonlySet<string>) {
  return rule({
    name: "known-before-update",
    displayName: "Known before the update",
    description: "Checks that all that the policies read is known in the preview.",
    severity: "high",
    tags: ["review"],
    remediationSteps:
      "Give the directive a value that does not come from a resource that is still to be made: run the update that makes it first, or pass the value in an environment file.",
    config: z.strictObject({
      ignore: z.array(z.string()).default([]).describe("Ids of policies whose checks may wait for the update."),
      except: exceptions,
    }),
    resource: ({ urn }, { ignore }) => {
      const waiting = new Map<string, string[]>();
      for (const { policy, what } of takePostponed(urn)) {
        if (ignore.includes(policy) || advisoryRules().has(policy)) continue;
        waiting.set(what, [...(waiting.get(what) ?? []), policy]);
      }
      return [...waiting].map(([what, policies]) => ({
        finding: `${what} is not known before the update, so these checks wait for it: ${listed(policies)}`,
      }));
    },
  });
}

function listed(policies: readonly string[]): string {
  const shown = policies.slice(0, 6).join(", ");
  return policies.length > 6 ? `${shown} and ${policies.length - 6} more` : shown;
}
