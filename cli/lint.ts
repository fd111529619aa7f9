import { directiveOf } from "../systemd/directives.ts";
import { type LintFinding, type LintSeverity, lintUnitTexts } from "../systemd/lints/lint-units.ts";
import { mayHoldSecret } from "../systemd/values/value.ts";
import { type LintFile, lintFiles } from "./lint-files.ts";
import type { Paint, Terminal } from "./terminal.ts";

/** Options of `pulumi-systemd lint`. */
export interface LintCommandOptions {
  systemd?: number;
  complete?: boolean;
  /** Name of the unit from standard input. */
  name?: string;
  json?: boolean;
}

/** One finding as `lint --json` prints it. */
export interface LintReport {
  /** Path as it was given. */
  readonly file: string;
  /** From 1; 1 too where the unit as a whole is meant. */
  readonly line: number;
  readonly section: string | null;
  readonly directive: string | null;
  /** Id of the lint; docs/lints.md tells what to do. */
  readonly rule: string;
  readonly severity: LintSeverity;
  readonly message: string;
}

/**
 * Prints all that is wrong with unit files. Those of one folder are taken for the units of one host and also looked at
 * across.
 * @returns 1 when there is an error among the findings, else 0
 */
export function lint(paths: readonly string[], options: LintCommandOptions, terminal: Terminal): number {
  const files = lintFiles(paths, options.name);
  const found = [...Map.groupBy(files, ({ folder }) => folder).values()].flatMap((folder) =>
    folderFindings(folder, options),
  );
  if (options.json === true) {
    terminal.print(
      JSON.stringify(
        found.map(({ file, finding }) => report(file.path, finding)),
        null,
        2,
      ),
    );
  } else {
    for (const { file, finding } of found) terminal.print(...shown(file, finding, terminal));
    terminal.print(
      summary(
        found.map(({ finding }) => finding.severity),
        files.length,
      ),
    );
  }
  return found.some(({ finding }) => finding.severity === "error") ? 1 : 0;
}

interface Found {
  readonly file: LintFile;
  readonly finding: LintFinding;
}

function folderFindings(files: readonly LintFile[], { systemd, complete }: LintCommandOptions): Found[] {
  const byName = new Map(files.map((file) => [file.name, file]));
  return lintUnitTexts(files, { systemd, complete }).flatMap((finding) => {
    const file = byName.get(finding.file ?? finding.unit);
    return file === undefined ? [] : [{ file, finding }];
  });
}

function report(file: string, finding: LintFinding): LintReport {
  const { line = 1, section = null, directive = null, rule, severity, message } = finding;
  return { file, line, section, directive, rule, severity, message };
}

function shown({ path, text }: LintFile, finding: LintFinding, { style }: Terminal): string[] {
  const paint: Readonly<Record<LintSeverity, Paint>> = { error: style.bad, warning: style.warning, info: style.faint };
  const { line = 1, column, endColumn, severity, rule, message, fix } = finding;
  const place = column === undefined ? `${path}:${line}` : `${path}:${line}:${column}`;
  const lines = [`${style.strong(place)}: ${paint[severity](severity)}: ${message} ${style.faint(`[${rule}]`)}`];
  const source = typeof text === "string" ? text.split(/\r\n|\r|\n/)[line - 1] : undefined;
  if (source !== undefined && column !== undefined && !holdsSecret(finding)) {
    const blank = source.slice(0, column - 1).replace(/[^\t]/g, " ");
    const marked = "^".repeat(Math.max(1, Math.min((endColumn ?? column + 1) - column, source.length - column + 1)));
    lines.push(`    ${source}`, `    ${blank}${paint[severity](marked)}`);
  }
  if (fix !== undefined) lines.push(`    ${style.faint(`fix: ${fix}`)}`);
  return lines;
}

/** Lines that may hold a secret are not copied to a terminal, or the log of a CI run. */
function holdsSecret({ section = "", directive = "" }: LintFinding): boolean {
  const known = directiveOf(section, directive);
  return known !== undefined && mayHoldSecret(known);
}

function summary(severities: readonly LintSeverity[], files: number): string {
  const counted = (["error", "warning", "info"] as const).map((severity) => {
    const count = severities.filter((each) => each === severity).length;
    return severity === "info" ? `${count} to know` : `${count} ${severity}${count === 1 ? "" : "s"}`;
  });
  return `${files} ${files === 1 ? "file" : "files"}: ${counted.join(", ")}`;
}
