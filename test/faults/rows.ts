import type { Seeded } from "./seeded.ts";
import type { Subject } from "./subject.ts";

/** What a row counts besides its trials, such as how often the new state was reached. */
export type Tally = Map<string, number>;

/** One kind of fault. */
export interface Row {
  readonly name: string;
  /** Trials of the short form, on one host, and of the long form, on each. */
  readonly trials: { readonly short: number; readonly long: number };
  /** One trial, with the check of the whole host at its end. @throws Error with what went wrong */
  trial(subject: Subject, tally: (what: string) => void, number: number): Promise<void>;
}

/** How a row went. */
export interface RowResult {
  readonly name: string;
  readonly trials: number;
  readonly failures: readonly string[];
  readonly tally: Tally;
  readonly seconds: number;
}

/** Runs these trials of a row. The first that fails ends it: the host is in no known state then. */
export async function ranRow(row: Row, subject: Subject, numbers: readonly number[]): Promise<RowResult> {
  const tally: Tally = new Map();
  const failures: string[] = [];
  const began = Date.now();
  let done = 0;
  for (const number of numbers) {
    if (failures.length > 0) break;
    done += 1;
    try {
      await row.trial(subject, (what) => tally.set(what, (tally.get(what) ?? 0) + 1), number);
    } catch (error) {
      failures.push(`trial ${number + 1}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { name: row.name, trials: done, failures, tally, seconds: (Date.now() - began) / 1000 };
}

export type { Seeded };
