import { z } from "zod";
import { receiptUnitSchema } from "./receipt.ts";

/** What differs, by its nature. */
export const findingKinds = [
  "file-missing",
  "file-changed",
  "file-mode",
  "file-replaced",
  "masked",
  "release-missing",
  "release-link",
  "release-edited",
  "account",
  "drop-in",
  "fragment",
  "daemon-reload",
  "enablement",
  "failed",
  "stopped",
  "stale-process",
  "systemd",
  "cut-off",
  "rolled-back",
  "undeployed",
] as const;

/** One difference between a host and what it should be. */
export const findingSchema = z.strictObject({
  kind: z.enum(findingKinds),
  /** The unit that it is about; empty for none. */
  unit: z.string(),
  /** The path that it is about; empty for none. */
  path: z.string(),
  /** What was found, and what was expected; no content of a file. */
  found: z.string(),
  expected: z.string(),
  /** What puts it right. */
  repair: z.string(),
  /** Whether the next transaction on the host does. */
  repaired: z.boolean(),
});

/** What the host program prints when it only looks. */
export const lookReportSchema = z.strictObject({
  format: z.literal(1),
  scope: z.string(),
  hostname: z.string(),
  /** Major version of systemd on the host. */
  systemd: z.number().int(),
  /** Generation that was applied last; 0 where none ever was. */
  generation: z.number().int().min(0),
  /** Name of the transaction that made it. */
  transaction: z.string(),
  /** Whether the host has booted since. */
  booted: z.boolean(),
  /** Who is at work on the host now, so that nothing was compared; empty when nobody is. */
  busy: z.string(),
  units: z.array(receiptUnitSchema.extend({ since: z.string() })),
  /** How the host differs from what was applied. */
  findings: z.array(findingSchema),
  /** How what was applied differs from what would be sent now. */
  undeployed: z.array(findingSchema),
});

export type Finding = z.infer<typeof findingSchema>;
export type LookReport = z.infer<typeof lookReportSchema>;
