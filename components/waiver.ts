import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { lastDayProblem, writtenDay } from "../systemd/lints/waiver.ts";
import type { UnitSections } from "../systemd/sections.ts";

/** A lint or policy that a definition may break until a date. */
export interface WaiverArgs {
  /** Id of the lint (docs/lints.md) or of the policy (docs/policies.md), such as `watchdog-required`. */
  policy: pulumi.Input<string>;
  /** Why, in at least 10 characters, for the reviewer; shown in every preview. Nothing secret belongs here. */
  reason: pulumi.Input<string>;
  /** Last day on which it holds, `2027-03-31`; the day ends at midnight UTC. Afterwards the finding counts again. */
  until: pulumi.Input<string>;
}

const lastDay = z.preprocess(
  (value) => (typeof value === "string" ? writtenDay(value) : value),
  z.string().superRefine((text, context) => {
    const problem = lastDayProblem(text);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  }),
);

/** A list of `WaiverArgs` after all Outputs are known. */
export const waivers = z.array(
  z.strictObject({
    policy: z.string().regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, {
      error: ({ input }) =>
        `${JSON.stringify(input)} is no id of a lint or policy; write it as docs/lints.md and docs/policies.md do, such as watchdog-required`,
    }),
    reason: z.string().min(10, "is too short; say in at least 10 characters why this may be so"),
    until: lastDay,
  }),
);

export type WaiverPlain = z.infer<typeof waivers>[number];

/** The sections of a unit and what it may break, as fields that a Unit takes one by one. */
export function waivedSections(
  { Unit, Service, Socket, Timer, Install }: UnitSections,
  waive: WaiverPlain[] | undefined,
) {
  return { Unit, Service, Socket, Timer, Install, waive };
}
