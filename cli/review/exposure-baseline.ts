import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";

/** Accepted scores of one stack's services (docs/policies.md#exposure-ratchet). */
export type AcceptedScores = Readonly<Record<string, number>>;

/** One service whose accepted score changes. */
export interface AcceptedChange {
  readonly unit: string;
  /** null where it had none. */
  readonly before: number | null;
  /** null where it has none any more. */
  readonly after: number | null;
}

const baselineSchema = z.record(z.string(), z.record(z.string(), z.number()));

/** What a baseline accepts for a stack; nothing where the file is not there or not readable, which its policy tells. */
export function acceptedScores(path: string | undefined, stack: string): AcceptedScores {
  if (path === undefined || !existsSync(path)) return {};
  try {
    return baselineSchema.parse(JSON.parse(readFileSync(path, "utf8")))[stack] ?? {};
  } catch {
    return {};
  }
}

/** What differs, those that are worse first. */
export function acceptedChanges(before: AcceptedScores, after: AcceptedScores): readonly AcceptedChange[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .map((unit) => ({ unit, before: before[unit] ?? null, after: after[unit] ?? null }))
    .filter((change) => change.before !== change.after)
    .sort((a, b) => rise(b) - rise(a) || (a.unit < b.unit ? -1 : 1));
}

function rise({ before, after }: AcceptedChange): number {
  return (after ?? 0) - (before ?? 0);
}
