/** A character that systemd refuses in its files, and where it stands. */
export interface UnwritableCharacter {
  /** Index in UTF-16 code units. */
  readonly index: number;
  /** What it is, without its surroundings: `a NUL character`. */
  readonly what: string;
}

const unwritable = /\0|\p{Surrogate}|\p{Noncharacter_Code_Point}/u;

/**
 * The first character of a text that no systemd file can hold: NUL, half of a surrogate pair (it has no UTF-8 form), or
 * a Unicode noncharacter such as U+FFFF, which systemd takes for invalid UTF-8 and then refuses the whole file
 * (measured on 252).
 */
export function unwritableCharacter(text: string): UnwritableCharacter | undefined {
  const found = unwritable.exec(text);
  if (found === null) return undefined;
  const codePoint = found[0].codePointAt(0) ?? 0;
  if (codePoint === 0) return { index: found.index, what: "a NUL character" };
  const name = codePointName(codePoint);
  const isSurrogate = codePoint >= 0xd800 && codePoint <= 0xdfff;
  return {
    index: found.index,
    what: isSurrogate ? `half of a surrogate pair (${name})` : `the Unicode noncharacter ${name}`,
  };
}

/** A code point as Unicode writes it: `U+00E9`. */
export function codePointName(codePoint: number): string {
  return `U+${codePoint.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** Size of a text in bytes of UTF-8. */
export function utf8Length(text: string): number {
  // Almost every line is plain ASCII, and asked for its length.
  return /^[ -~]*$/.test(text) ? text.length : new TextEncoder().encode(text).length;
}

/** The text of these UTF-8 bytes, or undefined where they are not UTF-8. A byte order mark is kept. */
export function textOfUtf8(bytes: readonly number[]): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
  } catch {
    return undefined;
  }
}
