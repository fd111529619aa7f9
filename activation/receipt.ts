import { z } from "zod";

/** What was done to one unit, and why. */
export const receiptActionSchema = z.strictObject({
  unit: z.string(),
  action: z.enum([
    "start",
    "stop",
    "restart",
    "reload",
    "enable",
    "disable",
    "reenable",
    "remove",
    "adopt",
    "restore",
    "reload-manager",
    "none",
    "build",
    "check",
    "pre-start",
    "post-start",
  ]),
  /** Short phrases for people: `restart digest differs`, `/etc/orders/api.env changed`, `new`. */
  reasons: z.array(z.string()),
});

/** One managed unit as systemd showed it at the end of the transaction. */
export const receiptUnitSchema = z.strictObject({
  name: z.string(),
  activeState: z.string(),
  subState: z.string(),
  result: z.string(),
  unitFileState: z.string(),
  invocationId: z.string(),
});

/**
 * What the host's own probes of one service met while it changed over, from before the switch to its end: GET requests of
 * its health gate, or connections to the socket that systemd holds for it.
 */
export const receiptSwapSchema = z.strictObject({
  unit: z.string(),
  address: z.string(),
  kind: z.enum(["request", "connection"]),
  made: z.number().int(),
  refused: z.number().int(),
  /** Reset, closed without an answer, answered wrongly, or not within 10 s. */
  failed: z.number().int(),
  /** The longest wait of those that were answered, in milliseconds. */
  worstMs: z.number().int(),
  /** Why some failed, each reason once. */
  problems: z.array(z.string()),
});

/** What the host program prints on standard output when it has reached the state that was asked for. */
export const receiptSchema = z.strictObject({
  format: z.literal(1),
  scope: z.string(),
  outcome: z.enum(["applied", "unchanged", "destroyed"]),
  /** Counts the states that this scope has had on this host, from 1. It does not move when nothing differed. */
  generation: z.number().int().min(0),
  /** Name of the transaction, unique on the host. */
  transaction: z.string(),
  /** Major version of systemd on the host. */
  systemd: z.number().int(),
  hostname: z.string(),
  daemonReloads: z.number().int(),
  actions: z.array(receiptActionSchema),
  units: z.array(receiptUnitSchema),
  /** Each service that ran, was given a new process, and could be asked. */
  swaps: z.array(receiptSwapSchema).default([]),
  /** What a person should know although the transaction went well: a unit that was stopped by hand, a note of verify. */
  warnings: z.array(z.string()),
});

export type ReceiptAction = z.infer<typeof receiptActionSchema>;
export type ReceiptUnit = z.infer<typeof receiptUnitSchema>;
export type Receipt = z.infer<typeof receiptSchema>;
