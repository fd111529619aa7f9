import { UnitSyntaxError } from "./logical-lines.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
const lineFeed = 0x0a;

/**
 * The text of a unit file from its bytes. A byte order mark is kept, for the parser. Comment lines may hold anything, as
 * systemd drops them before it looks.
 * @throws UnitSyntaxError at the first other line that is not UTF-8: systemd refuses the whole file
 */
export function unitText(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return linesOf(bytes).map(decodedLine).join("\n");
  }
}

function decodedLine(bytes: Uint8Array, index: number): string {
  try {
    return strict.decode(bytes);
  } catch {
    const text = lenient.decode(bytes);
    if (/^[ \t]*[#;]/.test(text)) return text;
    throw new UnitSyntaxError(index + 1, "the line is not UTF-8; systemd refuses the whole file");
  }
}

function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  let start = 0;
  for (let end = bytes.indexOf(lineFeed); end >= 0; end = bytes.indexOf(lineFeed, start)) {
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  lines.push(bytes.subarray(start));
  return lines;
}
