import { unwritableCharacter, utf8Length } from "./encodable-text.ts";
import {
  endsInLoneBackslash,
  type LineSegment,
  logicalLines,
  longestLine,
  positionInLine,
  type TextPosition,
  UnitSyntaxError,
} from "./logical-lines.ts";
import type { UnitModel } from "./unit-model.ts";

export { type LineSegment, positionInLine, type TextPosition, UnitSyntaxError };

/** One `Key=Value` line. The value is what stands behind the `=`, stripped, with continuation lines joined by a space. */
export interface UnitEntry {
  readonly key: string;
  readonly value: string;
}

/** One `[Name]` block. Entries keep their order; repeats and empty (resetting) assignments are kept. */
export interface UnitSection {
  readonly name: string;
  readonly entries: readonly UnitEntry[];
}

/** A unit file or drop-in as an ordered list: order, repeats and resets have a meaning to systemd. */
export interface UnitFile {
  readonly sections: readonly UnitSection[];
}

/** A line that systemd ignores after a warning, or reads otherwise than it looks. */
export interface UnitNote {
  /** Number of the line, from 1. */
  readonly line: number;
  readonly message: string;
}

/** Where one entry stands in the text it was read from: its key at `line` and `column`. */
export interface EntryPosition extends TextPosition {
  /** Number of the last line, from 1; more than `line` where the entry is continued. */
  readonly endLine: number;
  /** Where the parts of the value stand; `positionInLine(value, offset)` is the place of an offset into the value. */
  readonly value: readonly LineSegment[];
}

/** Where one section stands; `entries` has the same order and length as the section's own. */
export interface SectionPosition extends TextPosition {
  readonly entries: readonly EntryPosition[];
}

/** A unit file with what is needed to talk about its text. */
export interface AnnotatedUnitFile {
  readonly file: UnitFile;
  /** In the order of the file. Ignored lines are not in `file`. */
  readonly notes: readonly UnitNote[];
  /** Same order and length as `file.sections`. */
  readonly positions: readonly SectionPosition[];
}

/** A unit file that cannot be written so that systemd reads the same back. */
export class UnwritableUnitError extends Error {
  override readonly name = "UnwritableUnitError";
}

/**
 * Reads a unit file or drop-in as systemd does (systemd.syntax(7)): comments are dropped, continued lines joined,
 * repeats and empty assignments kept in order. Values stay as written; quotes and escapes belong to the directive.
 * Lines that systemd warns about and ignores are left out; `parseUnitFileWithNotes` tells which.
 * @throws UnitSyntaxError where systemd refuses the whole file.
 */
export function parseUnitFile(text: string): UnitFile {
  return parseUnitFileWithNotes(text).file;
}

/** `parseUnitFile` with the lines that were left out, and where each section and entry stands. */
export function parseUnitFileWithNotes(text: string): AnnotatedUnitFile {
  const sections: { name: string; entries: UnitEntry[] }[] = [];
  const positions: { line: number; column: number; entries: EntryPosition[] }[] = [];
  const notes: UnitNote[] = [];

  for (const logical of logicalLines(text)) {
    const content = stripped(logical.text);
    if (content === "") continue;
    const place = positionInLine(logical.segments, leadingBlanks(logical.text));
    refuseUnwritable(content, place.line);

    if (content.startsWith("[")) {
      sections.push({ name: sectionName(content, place.line), entries: [] });
      positions.push({ ...place, entries: [] });
      continue;
    }
    const problem = ignoredLine(content, sections.length > 0);
    if (problem !== undefined) {
      notes.push({ line: place.line, message: problem });
      continue;
    }
    if (endsInLoneBackslash(content)) {
      const message = "ends in a backslash with blanks behind it, which does not join the next line";
      notes.push({ line: logical.endLine, message });
    }
    const equals = logical.text.indexOf("=");
    const rawValue = logical.text.slice(equals + 1);
    const valueStart = equals + 1 + leadingBlanks(rawValue);
    sections.at(-1)?.entries.push({ key: stripped(logical.text.slice(0, equals)), value: stripped(rawValue) });
    positions
      .at(-1)
      ?.entries.push({ ...place, endLine: logical.endLine, value: segmentsFrom(logical.segments, valueStart) });
  }
  return { file: { sections }, notes, positions };
}

/**
 * Writes a unit file in one canonical form: the header as comment lines, a blank line before each further block, one
 * `Key=Value` per line, one newline at the end. `parseUnitFile` reads the same file back.
 * @param header Comment lines without their `# `.
 * @throws UnwritableUnitError for a name or value that one line cannot hold. That includes a value that ends in a
 * backslash: systemd would read it with a blank behind it, but editors strip that, and then the next line is lost.
 */
export function printUnitFile(file: UnitFile, header: readonly string[] = []): string {
  const blocks: string[][] = header.length > 0 ? [header.map(commentLine)] : [];
  for (const section of file.sections) {
    blocks.push([headerLine(section.name), ...section.entries.map((entry) => entryLine(section.name, entry))]);
  }
  return `${blocks.map((block) => block.join("\n")).join("\n\n")}\n`;
}

/**
 * A unit file by section and key, as policies and reviewers read it: sections of the same name are merged in order; a
 * key that is assigned more than once becomes a list, in which an empty string is a reset.
 */
export function unitModel(file: UnitFile): UnitModel {
  const sections = new Map<string, Map<string, string | string[]>>();
  for (const { name, entries } of file.sections) {
    const section = sections.get(name) ?? new Map<string, string | string[]>();
    sections.set(name, section);
    for (const { key, value } of entries) {
      const before = section.get(key);
      if (before === undefined) section.set(key, value);
      else if (typeof before === "string") section.set(key, [before, value]);
      else before.push(value);
    }
  }
  return Object.fromEntries([...sections].map(([name, section]) => [name, Object.fromEntries(section)]));
}

function refuseUnwritable(content: string, line: number): void {
  const found = unwritableCharacter(content);
  if (found !== undefined) throw new UnitSyntaxError(line, `${found.what}; systemd refuses the whole file`);
}

function sectionName(content: string, line: number): string {
  if (!content.endsWith("]") || content.length < 2) {
    throw new UnitSyntaxError(
      line,
      `a section header must end in "]", got ${JSON.stringify(content)}; comments need a line of their own`,
    );
  }
  const name = content.slice(1, -1);
  const problem = sectionNameProblem(name);
  if (problem !== undefined) throw new UnitSyntaxError(line, `section name ${JSON.stringify(name)} ${problem}`);
  return name;
}

function sectionNameProblem(name: string): string | undefined {
  const isUnsafe = [...name].some((character) => character < " " || "\"'\\\u007f".includes(character));
  return isUnsafe ? "holds a quote, a backslash or a control character" : undefined;
}

function ignoredLine(content: string, isInSection: boolean): string | undefined {
  if (/^[#;]/.test(content)) return "a comment right behind a byte order mark is not a comment";
  if (!isInSection) return "stands before the first [Section]; systemd ignores it";
  if (!content.includes("=")) return "has no =; systemd ignores it";
  if (content.startsWith("=")) return "has no key before the =; systemd ignores it";
  if (content.startsWith("\uFEFF")) return "begins with a second byte order mark; systemd does not know such a key";
  return undefined;
}

function segmentsFrom(segments: readonly LineSegment[], start: number): readonly LineSegment[] {
  const later = segments.filter((segment) => segment.offset > start);
  return [
    { offset: 0, ...positionInLine(segments, start) },
    ...later.map((segment) => ({ ...segment, offset: segment.offset - start })),
  ];
}

function commentLine(text: string): string {
  const line = stripped(`# ${text}`);
  if (/[\n\r]/.test(text) || unwritableCharacter(line) !== undefined) {
    throw new UnwritableUnitError(
      `header line ${JSON.stringify(text)}: must be one line of text; pass one item per line`,
    );
  }
  return line;
}

function headerLine(name: string): string {
  const problem = sectionNameProblem(name) ?? unwritableCharacter(name)?.what;
  if (problem !== undefined) {
    throw new UnwritableUnitError(`section name ${JSON.stringify(name)}: ${problem}; use a name such as "Service"`);
  }
  return `[${name}]`;
}

function entryLine(section: string, { key, value }: UnitEntry): string {
  const problem = keyProblem(key);
  if (problem !== undefined) throw new UnwritableUnitError(`[${section}] key ${JSON.stringify(key)}: ${problem}`);
  const line = `${key}=${value}`;
  const refusal = valueProblem(value) ?? lengthProblem(line);
  if (refusal !== undefined) throw new UnwritableUnitError(`[${section}] ${key}=: ${refusal}`);
  return line;
}

function keyProblem(key: string): string | undefined {
  if (key === "") return "is empty";
  if (/[=\n\r]/.test(key)) return "must hold no = and no line break";
  if (/^[[#;\uFEFF]/.test(key)) return "must not begin with [, #, ; or a byte order mark";
  if (stripped(key) !== key) return "must not begin or end with white space";
  const found = unwritableCharacter(key);
  return found === undefined ? undefined : `holds ${found.what}`;
}

function valueProblem(value: string): string | undefined {
  const found = unwritableCharacter(value);
  if (found !== undefined)
    return `the value holds ${found.what} at index ${found.index}; systemd would refuse the file`;
  const lineBreak = value.search(/[\n\r]/);
  if (lineBreak >= 0) {
    return `the value holds a line break at index ${lineBreak}, but must be one line; in directives that know escapes (ExecStart=, Environment=) write \\n, else assign the key once per line`;
  }
  if (stripped(value) !== value) {
    return "the value begins or ends with white space, which systemd strips; remove it, or quote the word in directives that know quotes";
  }
  if (endsInLoneBackslash(value)) {
    return "the value ends in a backslash, which would join the next line to it; double and quote it in directives that know quotes, else remove it";
  }
  return undefined;
}

function lengthProblem(line: string): string | undefined {
  const bytes = utf8Length(line);
  return bytes >= longestLine
    ? `the line has ${bytes} bytes; systemd reads lines of less than ${longestLine} bytes`
    : undefined;
}

/** Text without the white space that systemd strips; other Unicode blanks belong to the value. */
function stripped(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charAt(start))) start += 1;
  while (end > start && isBlank(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function leadingBlanks(text: string): number {
  let count = 0;
  while (count < text.length && isBlank(text.charAt(count))) count += 1;
  return count;
}

function isBlank(character: string): boolean {
  return character === " " || character === "\t" || character === "\n" || character === "\r";
}
