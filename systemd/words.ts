import { cEscapeAt, cEscaped, cUnescaped, Utf8Text, unknownEscape, WordSyntaxError } from "./c-escapes.ts";

export { cEscaped, cUnescaped, WordSyntaxError };

/** What to do with a backslash that begins no known escape. */
export interface WordOptions {
  /**
   * `keep`: the backslash stays, as in command lines (`\d+` is `\d+`). `refuse`: an error, as in `Environment=`, where
   * systemd ignores the rest of the assignment.
   * @default "keep"
   */
  readonly unknownEscapes?: "keep" | "refuse";
}

/** One word of a value, with its quotes and escapes undone. */
export interface Word {
  readonly text: string;
  /** Where the word begins in the value, in UTF-16 code units. */
  readonly start: number;
  /** Where the word ends, and the blanks behind it: the next word begins here. */
  readonly next: number;
}

/**
 * The words of a value as systemd splits it (`extract_first_word()`; systemd.syntax(7), "Quoting"): split at blanks; `"`
 * and `'` group, also in mid-word; C escapes work in and outside of both.
 * @throws WordSyntaxError for an open quote, for bytes that are not UTF-8, and, if asked, for unknown escapes.
 */
export function splitWords(text: string, options: WordOptions = {}): string[] {
  const words: string[] = [];
  for (let word = firstWord(text, 0, options); word !== undefined; word = firstWord(text, word.next, options)) {
    words.push(word.text);
  }
  return words;
}

/**
 * The first word at or behind an index, or undefined where only blanks are left.
 * @throws WordSyntaxError as `splitWords` does.
 */
export function firstWord(text: string, from: number, options: WordOptions = {}): Word | undefined {
  const start = blanksEnd(text, from);
  if (start >= text.length) return undefined;
  const word = new Utf8Text();
  let quote: { readonly mark: string; readonly index: number } | undefined;
  let index = start;
  while (index < text.length) {
    const character = text.charAt(index);
    if (character === "\\") {
      index += appendEscape(word, text, index, options);
    } else if (quote !== undefined) {
      if (character === quote.mark) quote = undefined;
      else word.append(character);
      index += 1;
    } else if (character === '"' || character === "'") {
      quote = { mark: character, index };
      index += 1;
    } else if (isBlank(character)) {
      break;
    } else {
      word.append(character);
      index += 1;
    }
  }
  if (quote !== undefined) {
    throw new WordSyntaxError(quote.index, `the quote ${quote.mark} at index ${quote.index} is never closed`);
  }
  return { text: word.finished(), start, next: blanksEnd(text, index) };
}

/**
 * A text as one word, from which `splitWords` makes the same text again. Quotes stand only where they are needed: around
 * nothing, blanks, quotes, backslashes, invisible characters, and a lone `;`.
 * @throws WordSyntaxError for NUL, half surrogate pairs and noncharacters.
 */
export function quotedWord(word: string): string {
  const escaped = cEscaped(word);
  const isPlain = escaped === word && word !== "" && word !== ";" && !/[ ']/.test(word);
  return isPlain ? word : `"${escaped}"`;
}

function appendEscape(word: Utf8Text, text: string, index: number, options: WordOptions): number {
  const sequence = cEscapeAt(text, index);
  if (sequence !== undefined) {
    word.appendBytes(sequence.bytes, index);
    return sequence.length;
  }
  if (options.unknownEscapes === "refuse") throw new WordSyntaxError(index, unknownEscape(text, index));
  word.append(text.slice(index, index + 2));
  return Math.min(2, text.length - index);
}

function blanksEnd(text: string, from: number): number {
  let index = from;
  while (index < text.length && isBlank(text.charAt(index))) index += 1;
  return index;
}

function isBlank(character: string): boolean {
  return character === " " || character === "\t" || character === "\n" || character === "\r";
}
