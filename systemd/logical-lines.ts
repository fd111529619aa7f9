import { utf8Length } from "./encodable-text.ts";

/** A unit file that systemd refuses to load because of its syntax (`LoadState=error`). */
export class UnitSyntaxError extends Error {
  override readonly name = "UnitSyntaxError";
  /** Number of the line, from 1. */
  readonly line: number;

  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`);
    this.line = line;
  }
}

/** A place in a file: line and column from 1, columns in UTF-16 code units. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/** A stretch of a logical line that stands on one line of the file. */
export interface LineSegment extends TextPosition {
  /** Where in the logical line's text the stretch begins, in UTF-16 code units. */
  readonly offset: number;
}

/** One or more lines of a file, joined where they end in a backslash. */
export interface LogicalLine {
  /** The joined text: each backslash and line end is one space; comment lines between are left out. */
  readonly text: string;
  /** Where the text comes from, in order; never empty. */
  readonly segments: readonly LineSegment[];
  /** Number of the last line, from 1. */
  readonly endLine: number;
}

/** systemd reads lines of less than this many bytes, and joins lines up to it (LONG_LINE_MAX, 1 MiB). */
export const longestLine = 1024 * 1024;

/**
 * The lines of a unit file as systemd joins them, without comment lines. Empty lines are kept: they end a continuation.
 *
 * Follows `config_parse()` of systemd: a comment line within a continuation is skipped, a backslash at the end of a
 * comment continues nothing, and a backslash before the end of the file is a space.
 * @throws UnitSyntaxError for a logical line over 1 MiB.
 */
export function logicalLines(text: string): readonly LogicalLine[] {
  const lines: LogicalLine[] = [];
  let joined = "";
  let bytes = 0;
  let segments: LineSegment[] = [];
  let endLine = 0;
  let sawByteOrderMark = false;
  const finish = () => {
    lines.push({ text: joined, segments, endLine });
    joined = "";
    bytes = 0;
    segments = [];
  };

  for (const [index, physical] of physicalLines(text).entries()) {
    if (/^[ \t]*[#;]/.test(physical)) continue;
    const strips: boolean = !sawByteOrderMark && physical.startsWith("\uFEFF");
    sawByteOrderMark ||= strips;
    const content = strips ? physical.slice(1) : physical;
    segments.push({ offset: joined.length, line: index + 1, column: strips ? 2 : 1 });
    endLine = index + 1;

    const continues = endsInLoneBackslash(content);
    joined += continues ? `${content.slice(0, -1)} ` : content;
    const added = utf8Length(content);
    bytes += added;
    if (added >= longestLine || bytes > longestLine) {
      throw new UnitSyntaxError(
        segments[0]?.line ?? endLine,
        "the line is longer than 1 MiB; systemd refuses the file",
      );
    }
    if (!continues) finish();
  }
  if (segments.length > 0) finish();
  return lines;
}

/** Whether a line ends in an odd number of backslashes, which joins the next line to it. */
export function endsInLoneBackslash(line: string): boolean {
  let count = 0;
  while (line.charAt(line.length - 1 - count) === "\\") count += 1;
  return count % 2 === 1;
}

/** The place in the file of an offset into a logical line's text. */
export function positionInLine(segments: readonly LineSegment[], offset: number): TextPosition {
  const segment = segments.findLast((candidate) => candidate.offset <= offset) ?? segments[0];
  if (segment === undefined) return { line: 1, column: 1 };
  return { line: segment.line, column: segment.column + offset - segment.offset };
}

/**
 * systemd ends a line at LF, CR or NUL, and takes a run of different ones (CR LF, LF CR) as one end; nothing joins on
 * after a NUL.
 */
function physicalLines(text: string): readonly string[] {
  const lines: string[] = [];
  const ends = /\r\n?\0?|\n\r?\0?|\0/g;
  let start = 0;
  for (const end of text.matchAll(ends)) {
    lines.push(text.slice(start, end.index));
    start = end.index + end[0].length;
  }
  if (start < text.length) lines.push(text.slice(start));
  return lines;
}
