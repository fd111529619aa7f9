import type { LintSeverity } from "./finding.ts";
import type { Assignment, LintedUnit } from "./linted-unit.ts";
import type { LintOptions, UnitSet } from "./unit-set.ts";

/** One place where a lint applies. */
export interface LintHit {
  readonly message: string;
  /** The assignment that it is about. */
  readonly at?: Assignment | undefined;
  /** Which part of the assignment is marked. @default "value" */
  readonly mark?: "key" | "value" | { readonly start: number; readonly end: number };
  /** Index into `file.sections`, for what is about a section as a whole. */
  readonly sectionIndex?: number;
  /** Number of the line, where it is about a line that is no assignment. */
  readonly line?: number;
  /** The file of that line, where the unit has several. */
  readonly origin?: string | undefined;
  /** Where it differs from the lint's own. */
  readonly severity?: LintSeverity;
  /** Where there is more to say than the lint's own. */
  readonly fix?: string;
}

interface LintText {
  /** In kebab-case; also the heading in docs/lints.md. */
  readonly id: string;
  /** The highest that a hit has. */
  readonly severity: LintSeverity;
  /** What goes wrong, in one line. */
  readonly why: string;
  /** What to do, in one line. */
  readonly fix: string;
}

/** A mistake that one unit shows by itself, whatever the other units are. */
export interface OwnLint extends LintText {
  readonly across?: undefined;
  /** The places in one unit. */
  readonly hits: (unit: LintedUnit, options: LintOptions) => readonly LintHit[];
}

/** A mistake that other units make, or make good. */
export interface AcrossLint extends LintText {
  readonly across: true;
  /** The places in one unit; `set` holds all units that are looked at together. */
  readonly hits: (unit: LintedUnit, set: UnitSet) => readonly LintHit[];
}

/** One mistake that can be found in units. */
export type Lint = OwnLint | AcrossLint;
