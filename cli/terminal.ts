/** Where a command writes, and whether people look at it there. */
export interface Terminal {
  /** Writes lines to standard output. */
  print(...lines: string[]): void;
  /** Writes lines to standard error. */
  complain(...lines: string[]): void;
  /** Colours that are empty where nobody would see them. */
  readonly style: Style;
}

/** Wraps a text in one colour, or gives it back as it is. */
export type Paint = (text: string) => string;

/** The few colours of this program, by what they mean. */
export interface Style {
  readonly strong: Paint;
  readonly faint: Paint;
  readonly good: Paint;
  readonly warning: Paint;
  readonly bad: Paint;
}

const plain: Paint = (text) => text;
const sgr =
  (code: number): Paint =>
  (text) =>
    `\x1b[${code}m${text}\x1b[0m`;

/** Colours for a terminal, none for a file, a pipe, or a person who set `NO_COLOR` (no-color.org). */
export function styleFor(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): Style {
  if (!isTerminal || env.NO_COLOR) return { strong: plain, faint: plain, good: plain, warning: plain, bad: plain };
  return { strong: sgr(1), faint: sgr(2), good: sgr(32), warning: sgr(33), bad: sgr(31) };
}

/** Rows under a header, columns aligned; a cell may hold colour. */
export function tableLines(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => visibleLength(row[column] ?? ""))));
  return rows.map((row) =>
    row
      .map((cell, column) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - visibleLength(cell))))
      .join("  ")
      .trimEnd(),
  );
}

function visibleLength(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character begins a colour
  return text.replace(/\x1b\[\d+m/g, "").length;
}
