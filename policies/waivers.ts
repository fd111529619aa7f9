import { z } from "zod";
import { waiverDaysLeft } from "../systemd/lints/waiver.ts";
import { exceptions } from "./exception.ts";
import { waiversOf } from "./observed-stack.ts";
import { type RuleFinding, rule } from "./rule.ts";
import { leftOf } from "./verdict.ts";

/** Lists every waiver, and limits how many there are and how long they hold. */
export function waiversRule(policyIds: () => ReadonlySet<string>) {
  return rule({
    name: "waivers",
    displayName: "Waivers",
    description: "Lists what definitions may break, and checks that it is little, known and soon over.",
    severity: "high",
    isFinal: true,
    tags: ["review"],
    remediationSteps:
      "Mend what the waiver is about and take it away. Where that takes longer, give it a new date in a pull request of its own.",
    config: z.strictObject({
      maximumDays: z.number().int().min(0).default(180).describe("Days from today that a waiver may still hold."),
      maximumPerUnit: z.number().int().min(0).default(3).describe("Waivers that one definition may have."),
      maximum: z.number().int().min(0).default(20).describe("Waivers that all definitions of the stack may have."),
      never: z.array(z.string()).default([]).describe("Ids of policies that cannot be waived."),
      except: exceptions,
    }),
    resource: ({ type, urn, props }, { maximumDays, maximumPerUnit, maximum, never }, { waiverCounts }) => {
      if (type !== "systemd:index:Unit" && type !== "systemd:index:Host") return [];
      const waivers = waiversOf(props);
      waiverCounts.set(urn, waivers.length);
      if (waivers.length === 0) return [];
      const now = new Date();
      const found = waivers.flatMap((waiver): RuleFinding[] => {
        const { policy, until, reason } = waiver;
        const days = waiverDaysLeft(waiver, now);
        const refused: string[] = [];
        if (!policyIds().has(policy)) refused.push(`the waiver of ${policy} is for no lint or policy of that name`);
        if (never.includes(policy) || policy === "waivers") refused.push(`${policy} cannot be waived here`);
        if (days < 0)
          refused.push(`the waiver of ${policy} ended on ${until} (${reason}): take it away, or give it a new date`);
        if (days > maximumDays) {
          refused.push(
            `the waiver of ${policy} holds until ${until}, ${days} days from now; at most ${maximumDays} are allowed`,
          );
        }
        return refused.length > 0
          ? refused.map((finding) => ({ finding }))
          : [{ finding: `waives ${policy} until ${until} (${leftOf(waiver, now)}): ${reason}`, isNote: true }];
      });
      const total = [...waiverCounts.values()].reduce((sum, count) => sum + count, 0);
      const limits = [
        waivers.length > maximumPerUnit
          ? `it has ${waivers.length} waivers, at most ${maximumPerUnit} are allowed`
          : undefined,
        total > maximum ? `with it the stack has ${total} waivers, at most ${maximum} are allowed` : undefined,
      ];
      return [...found, ...limits.flatMap((finding) => (finding === undefined ? [] : [{ finding }]))];
    },
  });
}
