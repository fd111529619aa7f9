import { z } from "zod";
import type { CheckedResource } from "./checked-resource.ts";
import { exceptions } from "./exception.ts";
import { rule } from "./rule.ts";
import { reading } from "./unknown-values.ts";

const hatches = ["insecureSkipHostKey", "adopt"] as const;

/** Lists what switches a protection of this package off. */
export const escapeHatches = rule({
  name: "escape-hatches",
  displayName: "Escape hatches",
  description: "Lists each host whose key is not checked, and each place where files of others may be taken over.",
  severity: "high",
  tags: ["review"],
  remediationSteps: "Take the argument away as soon as what it was for is done.",
  config: z.strictObject({
    refuse: z
      .array(z.enum(hatches))
      .default([])
      .describe("Arguments that are refused and not only listed: insecureSkipHostKey, adopt."),
    except: exceptions,
  }),
  resource: (resource, { refuse }) =>
    hatches.flatMap((hatch) => {
      const given = givenHatch(resource, hatch);
      return given === undefined ? [] : [{ finding: `${hatch} is given: ${given}`, isNote: !refuse.includes(hatch) }];
    }),
});

/** What an argument says, in one line; undefined where it is not given. */
function givenHatch({ type, props }: CheckedResource, hatch: string): string | undefined {
  if (!type.startsWith("systemd:index:")) return undefined;
  const { value, isKnown } = reading(() => JSON.stringify(props[hatch]));
  if (!isKnown) return "not known before the update";
  return value === undefined || value === "false" || value === "[]" ? undefined : String(value);
}
