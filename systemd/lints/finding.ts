/** How bad a finding is: an `error` is refused by systemd or surely does not do what it says; the rest is for a person to judge. */
export type LintSeverity = "error" | "warning" | "info";

/** Something in a unit that a person should look at. */
export interface LintFinding {
  /** Name of the unit. */
  readonly unit: string;
  /** The text that it stands in, by the name it was given under; absent where units were given as data. */
  readonly file?: string;
  /** Name of the section; absent where the unit as a whole is meant. */
  readonly section?: string;
  /** Name of the directive as it was written. */
  readonly directive?: string;
  /** Which assignment of the directive in sections of that name, from 0. */
  readonly index?: number;
  /** Number of the line, from 1; only where positions or notes of the file are known. */
  readonly line?: number;
  /** From 1, in UTF-16 code units. */
  readonly column?: number;
  /** Column behind the last character, on the same line. */
  readonly endColumn?: number;
  /** Id of the lint. */
  readonly rule: string;
  readonly severity: LintSeverity;
  /** What is wrong with the names and values in question. Holds no value that may be a secret. */
  readonly message: string;
  /** What to write instead. */
  readonly fix?: string;
}
