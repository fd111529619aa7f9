import { readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import { z } from "zod";

const config = z.record(z.string(), z.unknown());
const history = z.strictObject({
  start: config,
  changes: z.array(
    z.strictObject({
      change: z.string(),
      patch: config,
      secret: z.string().optional(),
      lean: z.boolean().default(false),
    }),
  ),
});

/** One change of the history. */
export type ReviewedChange = z.infer<typeof history>["changes"][number];

/** The stack at the beginning and all that happens to it (changes.yaml). */
export function reviewedHistory(): z.infer<typeof history> {
  return history.parse(load(readFileSync(join(import.meta.dirname, "changes.yaml"), "utf8")));
}

/** A config with a patch merged into it: objects key by key, null takes a key away (RFC 7396). */
export function patched(value: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const before = isObject(value) ? value : {};
  const keys = [...new Set([...Object.keys(before), ...Object.keys(patch)])];
  return Object.fromEntries(
    keys
      .filter((key) => patch[key] !== null)
      .map((key) => [key, key in patch ? patched(before[key], patch[key]) : before[key]]),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
