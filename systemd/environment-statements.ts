/** One statement of an environment file as systemd takes it apart, valid or not. */
export interface EnvironmentStatement {
  /** Index of its first character. */
  readonly start: number;
  /** What stands before the first `=`, stripped; undefined for a line without `=`, and for a comment with a problem. */
  readonly key: string | undefined;
  readonly value: string;
  /** What a reader of the file would not expect; holds nothing of the file's text. */
  readonly problem: string | undefined;
}

interface ScannedValue {
  readonly value: string;
  readonly end: number;
  readonly problem: string | undefined;
}

/**
 * The statements of an environment file, by the rules of systemd's `parse_env_file_internal()`: shell-like, but without
 * any expansion. Comments are left out, except for those that older versions read otherwise.
 */
export function* environmentStatements(text: string): Generator<EnvironmentStatement> {
  let index = 0;
  while (index < text.length) {
    const character = text.charAt(index);
    if (isBlank(character)) {
      index += 1;
      continue;
    }
    const start = index;
    if (character === "#" || character === ";") {
      const comment = commentEnd(text, index);
      index = comment.end;
      if (comment.endsInBackslash) yield { start, key: undefined, value: "", problem: swallowingComment };
      continue;
    }
    const keyEnd = nextOf(text, index + 1, (candidate) => candidate === "=" || isLineEnd(candidate));
    if (text.charAt(keyEnd) !== "=") {
      index = keyEnd;
      yield { start, key: undefined, value: "", problem: undefined };
      continue;
    }
    const { value, end, problem } = scannedValue(text, keyEnd + 1);
    index = end;
    yield { start, key: withoutTrailingBlanks(text.slice(start, keyEnd)), value, problem };
  }
}

const swallowingComment = "is a comment that ends in a backslash; before version 254 systemd skips the next line too";

const openQuote = "opens a quote that is never closed; systemd takes the rest of the file as the value";

function commentEnd(text: string, from: number): { readonly end: number; readonly endsInBackslash: boolean } {
  let isEscaped = false;
  let index = from;
  while (index < text.length && !isLineEnd(text.charAt(index))) {
    isEscaped = text.charAt(index) === "\\" && !isEscaped;
    index += 1;
  }
  return { end: index, endsInBackslash: isEscaped && index < text.length };
}

/** Reads from behind the `=`: quoted parts first, then unquoted text up to the line end. */
function scannedValue(text: string, from: number): ScannedValue {
  let value = "";
  let index = from;
  while (index < text.length) {
    const character = text.charAt(index);
    if (character === "'" || character === '"') {
      const part = character === "'" ? singleQuoted(text, index + 1) : doubleQuoted(text, index + 1);
      value += part.value;
      index = part.end;
      if (part.problem !== undefined) return { value, end: index, problem: part.problem };
    } else if (isLineEnd(character)) {
      return { value, end: index, problem: undefined };
    } else if (isBlank(character)) {
      index += 1;
    } else {
      const rest = unquoted(text, index);
      return { ...rest, value: value + rest.value };
    }
  }
  return { value, end: index, problem: undefined };
}

function singleQuoted(text: string, from: number): ScannedValue {
  const end = text.indexOf("'", from);
  if (end < 0) return { value: text.slice(from), end: text.length, problem: openQuote };
  return { value: text.slice(from, end), end: end + 1, problem: undefined };
}

function doubleQuoted(text: string, from: number): ScannedValue {
  const pieces: string[] = [];
  let index = from;
  while (index < text.length) {
    const end = nextOf(text, index, (candidate) => candidate === '"' || candidate === "\\");
    pieces.push(text.slice(index, end));
    if (text.charAt(end) === '"') return { value: pieces.join(""), end: end + 1, problem: undefined };
    const escaped = text.charAt(end + 1);
    if ('"\\`$'.includes(escaped)) pieces.push(escaped);
    else if (escaped !== "\n") pieces.push(`\\${escaped}`);
    index = end + 2;
  }
  return { value: pieces.join(""), end: text.length, problem: openQuote };
}

/** Unquoted text: a backslash takes the next character literally, quotes within are literal, trailing blanks go. */
function unquoted(text: string, from: number): ScannedValue {
  let value = "";
  let kept = 0;
  let index = from;
  while (index < text.length && !isLineEnd(text.charAt(index))) {
    if (text.charAt(index) === "\\") {
      const escaped = text.charAt(index + 1);
      if (!isLineEnd(escaped)) value += escaped;
      kept = value.length;
      index += 2;
      continue;
    }
    value += text.charAt(index);
    if (!isBlank(text.charAt(index))) kept = value.length;
    index += 1;
  }
  return { value: value.slice(0, kept), end: Math.min(index, text.length), problem: undefined };
}

function nextOf(text: string, from: number, isWanted: (character: string) => boolean): number {
  let index = from;
  while (index < text.length && !isWanted(text.charAt(index))) index += 1;
  return index;
}

function withoutTrailingBlanks(text: string): string {
  let end = text.length;
  while (end > 0 && isBlank(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

function isLineEnd(character: string): boolean {
  return character === "\n" || character === "\r";
}

function isBlank(character: string): boolean {
  return character === " " || character === "\t" || isLineEnd(character);
}
