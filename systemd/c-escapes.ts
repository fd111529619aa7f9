import { codePointName, textOfUtf8, unwritableCharacter } from "./encodable-text.ts";

/** One escape sequence at a place of a text. */
export interface CEscape {
  /** Characters it takes up, the backslash included. */
  readonly length: number;
  /** The UTF-8 bytes it stands for. `\xHH` and octal escapes give one byte, which need not be a whole character. */
  readonly bytes: readonly number[];
}

/** A text that cannot be taken apart: an unknown escape, an open quote, bytes that are not UTF-8. Never holds the text. */
export class WordSyntaxError extends Error {
  override readonly name = "WordSyntaxError";
  /** Where in the text, in UTF-16 code units from 0. */
  readonly index: number;

  constructor(index: number, message: string) {
    super(message);
    this.index = index;
  }
}

const namedEscapes: ReadonlyMap<string, string> = new Map([
  ["a", "\u0007"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["v", "\v"],
  ["\\", "\\"],
  ['"', '"'],
  ["'", "'"],
  ["s", " "],
]);

const escapeNames: ReadonlyMap<string, string> = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\\", "\\\\"],
  ['"', '\\"'],
]);

/**
 * The escape sequence that begins at this backslash, or undefined where systemd knows none: `\a \b \f \n \r \t \v \\ \"
 * \' \s`, `\xHH`, `\OOO`, `\uHHHH`, `\UHHHHHHHH`. None of them can stand for NUL.
 */
export function cEscapeAt(text: string, index: number): CEscape | undefined {
  const named = namedEscapes.get(text.charAt(index + 1));
  if (named !== undefined) return { length: 2, bytes: [named.charCodeAt(0)] };
  const numeric =
    /^\\(?:x(?<byte>[0-9a-fA-F]{2})|(?<octal>[0-3][0-7]{2})|u(?<short>[0-9a-fA-F]{4})|U(?<long>[0-9a-fA-F]{8}))/.exec(
      text.slice(index, index + 10),
    );
  if (numeric?.groups === undefined) return undefined;
  const { byte, octal, short, long } = numeric.groups;
  const length = numeric[0].length;
  const eightBit = byte !== undefined ? Number.parseInt(byte, 16) : octal !== undefined ? Number.parseInt(octal, 8) : 0;
  if (eightBit > 0) return { length, bytes: [eightBit] };
  const codePoint = Number.parseInt(short ?? long ?? "0", 16);
  if (codePoint === 0 || codePoint > 0x10ffff) return undefined;
  const character = String.fromCodePoint(codePoint);
  if (unwritableCharacter(character) !== undefined) return undefined;
  return { length, bytes: [...new TextEncoder().encode(character)] };
}

/**
 * A text in which systemd's C unescaping finds the same text again. Backslash, double quote and everything invisible
 * are escaped (control and format characters, blanks other than the space); other text stays readable.
 * @throws WordSyntaxError for NUL, half surrogate pairs and noncharacters.
 */
export function cEscaped(text: string): string {
  const found = unwritableCharacter(text);
  if (found !== undefined)
    throw new WordSyntaxError(found.index, `the text holds ${found.what}, which systemd refuses`);
  return text.replace(
    /["\\]|(?! )[\p{C}\p{Z}]/gu,
    (character) => escapeNames.get(character) ?? numericEscape(character),
  );
}

/**
 * The text with its C escapes undone.
 * @throws WordSyntaxError for an unknown escape and for bytes that are not UTF-8.
 */
export function cUnescaped(text: string): string {
  const pieces = new Utf8Text();
  let index = 0;
  while (index < text.length) {
    const backslash = text.indexOf("\\", index);
    if (backslash < 0) break;
    pieces.append(text.slice(index, backslash));
    const sequence = cEscapeAt(text, backslash);
    if (sequence === undefined) throw new WordSyntaxError(backslash, unknownEscape(text, backslash));
    pieces.appendBytes(sequence.bytes, backslash);
    index = backslash + sequence.length;
  }
  pieces.append(text.slice(index));
  return pieces.finished();
}

/** What is wrong with the escape at this place, without naming the rest of the text. */
export function unknownEscape(text: string, index: number): string {
  const next = text.codePointAt(index + 1);
  return next === undefined
    ? "the text ends in a lone backslash; double it"
    : `the escape of a backslash and ${codePointName(next)} at index ${index} is unknown; double a backslash that is meant literally`;
}

/** Text that is put together from strings and from single bytes of UTF-8. */
export class Utf8Text {
  #text = "";
  #bytes: number[] = [];
  #bytesFrom = 0;

  append(text: string): void {
    if (text === "") return;
    this.#flush();
    this.#text += text;
  }

  /** @param index Where the bytes were written, for the error. */
  appendBytes(bytes: readonly number[], index: number): void {
    if (this.#bytes.length === 0) this.#bytesFrom = index;
    this.#bytes.push(...bytes);
  }

  /** @throws WordSyntaxError where the bytes are not UTF-8. */
  finished(): string {
    this.#flush();
    return this.#text;
  }

  #flush(): void {
    if (this.#bytes.length === 0) return;
    const decoded = textOfUtf8(this.#bytes);
    if (decoded === undefined) {
      throw new WordSyntaxError(this.#bytesFrom, `the escaped bytes at index ${this.#bytesFrom} are not UTF-8`);
    }
    this.#text += decoded;
    this.#bytes = [];
  }
}

function numericEscape(character: string): string {
  const codePoint = character.codePointAt(0) ?? 0;
  if (codePoint < 0x80) return `\\x${codePoint.toString(16).padStart(2, "0")}`;
  if (codePoint <= 0xffff) return `\\u${codePoint.toString(16).padStart(4, "0")}`;
  return `\\U${codePoint.toString(16).padStart(8, "0")}`;
}
