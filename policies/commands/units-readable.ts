import { z } from "zod";
import { exceptions } from "../exception.ts";
import { rule } from "../rule.ts";
import { writtenUnits } from "./written-units.ts";

/** Tells which units a command brings that the pack cannot read. */
export const unitsReadable = rule({
  name: "units-readable",
  displayName: "Units can be read",
  description: "Checks that the units which commands and copied files bring can be read by these policies.",
  severity: "medium",
  tags: ["review"],
  remediationSteps:
    "Write the unit with a here-document in quotes (<<'EOF'), or copy a file of the program; better, define it with a component of this package.",
  config: z.strictObject({ except: exceptions }),
  level: "advisory",
  resource: (resource) =>
    writtenUnits(resource).unread.map(({ path, why }) => ({ finding: `${path} is not checked: ${why}` })),
});
