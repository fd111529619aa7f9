import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Bundle } from "../../activation/bundle.ts";
import { testBundle, testUnit } from "./test-bundle.ts";

/** One row of the decision table: both planners must say it, and docs/transaction.md shows it. */
export interface PlanCase {
  /** What changes, in words. */
  readonly changes: string;
  readonly why: string;
  readonly old: readonly CaseUnit[];
  readonly new: readonly CaseUnit[];
  /** Files beside the units: their content before and after; null: it goes. */
  readonly files?: Readonly<Record<string, readonly [string, string | null]>>;
  /** The action for each unit. */
  readonly expect: Readonly<Record<string, string>>;
  /** Where it is not `none`. */
  readonly enablement?: Readonly<Record<string, string>>;
  /** Where it is not null. */
  readonly ifIdle?: Readonly<Record<string, string>>;
  /** Addresses that close for a while or for good. Default: none. */
  readonly gaps?: readonly string[];
  /** The causes, where the case is about them: `[Service] Nice`, a path. */
  readonly causes?: Readonly<Record<string, readonly string[]>>;
}

interface CaseUnit {
  readonly name: string;
  readonly text: string;
  readonly activation?: string;
  readonly onChange?: string;
  readonly restartOnFiles?: string[];
  readonly reloadOnFiles?: string[];
}

/** The decision table. */
export const planCases: readonly PlanCase[] = JSON.parse(
  readFileSync(join(import.meta.dirname, "plan-cases.json"), "utf8"),
);

/** The two bundles of a case. */
export function caseBundles({ old, new: next, files = {} }: PlanCase): { old: Bundle; next: Bundle } {
  const side = (units: readonly CaseUnit[], at: 0 | 1) =>
    testBundle(
      units.map((unit) => testUnit(unit.name, unit.text, unit)),
      Object.entries(files).flatMap(([path, contents]) => {
        const content = contents[at];
        return content === null ? [] : [{ path, mode: "0600", content, secret: true }];
      }),
    );
  return { old: side(old, 0), next: side(next, 1) };
}
