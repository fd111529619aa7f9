import { z } from "zod";

/** A change that makes no difference, so that no test can notice it. */
export interface Equivalent {
  readonly file: string;
  /** The line that was changed, trimmed. */
  readonly line: string;
  /** What was changed in it, and into what. */
  readonly from: string;
  readonly to: string;
  readonly why: string;
}

/** One change, and what became of it. */
export interface Mutant extends Omit<Equivalent, "why"> {
  readonly lineNumber: number;
  /** Where `from` begins in the file. */
  readonly offset: number;
  readonly status: "Killed" | "Timeout" | "Survived" | "NoCoverage" | "RuntimeError" | "CompileError" | "Ignored";
}

const text = z.string().min(1);
const equivalentSchema = z.array(
  z.strictObject({ file: text, line: text, from: text, to: z.string(), why: text.min(10) }),
);

/** The content of equivalent.json. @throws ZodError */
export function equivalents(content: unknown): readonly Equivalent[] {
  return equivalentSchema.parse(content);
}

const position = z.object({ line: z.number(), column: z.number() });
const reportSchema = z.object({
  files: z.record(
    z.string(),
    z.object({
      source: z.string(),
      mutants: z.array(
        z.object({
          replacement: z.string(),
          location: z.object({ start: position, end: position }),
          status: z.enum(["Killed", "Timeout", "Survived", "NoCoverage", "RuntimeError", "CompileError", "Ignored"]),
        }),
      ),
    }),
  ),
});

/** The changes of a report of StrykerJS (mutation-testing-report-schema), by file and line. @throws ZodError */
export function mutationReport(content: unknown): readonly Mutant[] {
  const { files } = reportSchema.parse(content);
  return Object.entries(files)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([file, { source, mutants }]) => {
      const lines = source.split("\n");
      return mutants
        .map(({ replacement: to, status, location: { start, end } }): Mutant => {
          const changed = lines.slice(start.line - 1, end.line);
          const last = changed.length - 1;
          // Both ends count from 1; the last line is cut first, as both may be the same.
          changed[last] = (changed[last] ?? "").slice(0, end.column - 1);
          changed[0] = (changed[0] ?? "").slice(start.column - 1);
          const line = (lines[start.line - 1] ?? "").trim();
          const offset = lines.slice(0, start.line - 1).reduce((sum, { length }) => sum + length + 1, start.column - 1);
          return { file, line, lineNumber: start.line, offset, from: changed.join("\n"), to, status };
        })
        .toSorted((a, b) => a.lineNumber - b.lineNumber);
    });
}

/** Whether no test has noticed it. */
export function hasSurvived({ status }: Mutant): boolean {
  return status === "Survived" || status === "NoCoverage";
}

function isOf(mutant: Mutant, { file, line, from, to }: Equivalent): boolean {
  return mutant.file === file && mutant.line === line && mutant.from === from && mutant.to === to;
}

/** Survivors that nothing explains. */
export function unexplained(mutants: readonly Mutant[], known: readonly Equivalent[]): readonly Mutant[] {
  return mutants.filter((mutant) => hasSurvived(mutant) && !known.some((one) => isOf(mutant, one)));
}

/** Counts of each file and of all, then every survivor, then explanations that explain none. */
export function printedReport(mutants: readonly Mutant[], known: readonly Equivalent[]): readonly string[] {
  const open = new Set(unexplained(mutants, known));
  const files = [...new Set(mutants.map(({ file }) => file))];
  const rows = files.map((file) =>
    row(
      file,
      mutants.filter((mutant) => mutant.file === file),
      open,
    ),
  );
  const survived = mutants.filter(hasSurvived);
  const shown = survived.map((mutant) => {
    const { file, lineNumber, status, from, to } = mutant;
    const why = known.find((one) => isOf(mutant, one))?.why;
    const what = why === undefined ? status.toUpperCase() : `makes no difference (${why})`;
    return `${file}:${lineNumber}: ${what}\n  - ${from.replaceAll("\n", "\n    ")}\n  + ${to.replaceAll("\n", "\n    ")}`;
  });
  const stale = known.filter((one) => !survived.some((mutant) => isOf(mutant, one)));
  return [
    ...shown,
    ...stale.map(({ file, from, to }) => `equivalent.json explains what has not survived: ${file}: ${from} -> ${to}`),
    "killed  timeout  survived  no difference  invalid  score",
    ...rows,
    row("all", mutants, open),
  ];
}

function row(name: string, mutants: readonly Mutant[], open: ReadonlySet<Mutant>): string {
  const count = (...statuses: readonly Mutant["status"][]) =>
    mutants.filter(({ status }) => statuses.includes(status)).length;
  const [killed, timeout, survived] = [count("Killed"), count("Timeout"), count("Survived", "NoCoverage")];
  const missing = mutants.filter((mutant) => open.has(mutant)).length;
  const score = (100 * (killed + timeout)) / Math.max(1, killed + timeout + survived);
  const numbers = [killed, timeout, missing, survived - missing, count("RuntimeError", "CompileError")];
  const widths = [6, 8, 9, 14, 8];
  const cells = numbers.map((number, index) => String(number).padStart(widths[index] ?? 8));
  return `${cells.join(" ")}  ${score.toFixed(1).padStart(5)} %  ${name}`;
}
