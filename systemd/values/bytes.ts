import { parsedInteger } from "./integer.ts";
import { parsedPercent, percentProblem } from "./percent.ts";
import { received, type ValueCheck } from "./value-check.ts";

/** A text that is no size in bytes. */
export class BytesError extends Error {
  override readonly name = "BytesError";
}

const suffixes: readonly string[] = ["E", "P", "T", "G", "M", "K", "B", ""];
const example = 'write e.g. "64K", "512M" or "1.5G" (K M G T P E are powers of 1024)';
const largest = 2n ** 64n - 1n;

/**
 * A size in bytes: a number with a suffix `K M G T P E` (powers of 1024) or `B`, or sizes of falling suffixes that add up
 * (`1G 512M`). Above 2^53 the result is the nearest number that JavaScript has.
 * @throws BytesError
 */
export function parsedBytes(text: string): number {
  return Number(bytesIn(text));
}

/** Why a text is no size in bytes, or undefined where it is one. */
export function bytesProblem(text: string): string | undefined {
  try {
    bytesIn(text);
    return undefined;
  } catch (error) {
    if (error instanceof BytesError) return error.message;
    throw error;
  }
}

/**
 * A size with the largest suffix that divides it: `512M`, `1536M`, `1000`.
 * @param bytes Whole number from 0 to 2^53.
 * @throws RangeError for any other number.
 */
export function formattedBytes(bytes: number): string {
  if (!Number.isSafeInteger(bytes) || bytes < 0) {
    throw new RangeError(`a size is a whole number of bytes from 0 to 2^53, got ${bytes}`);
  }
  if (bytes === 0) return "0";
  const power = [6, 5, 4, 3, 2, 1].find((exponent) => bytes % 1024 ** exponent === 0) ?? 0;
  return power === 0 ? String(bytes) : `${bytes / 1024 ** power}${suffixes[6 - power]}`;
}

/** Why a value is no amount of memory: bytes, a percentage, or infinity; some limits refuse 0. */
export const memorySizeProblem: ValueCheck = (value, directive) => {
  if (value === "infinity") return undefined;
  const fraction = parsedPercent(value);
  const problem = fraction === undefined ? bytesProblem(value) : percentProblem(value);
  if (problem !== undefined) {
    return fraction === undefined ? `${problem}; also a percentage such as "25%", or infinity` : problem;
  }
  const amount = fraction ?? parsedBytes(value);
  if (directive.min !== undefined && amount === 0)
    return `${received(value)} is refused here; write more than 0, or infinity`;
  return undefined;
};

/** Why a value is no number of tasks: a number from 1 on, a percentage, or infinity. */
export const taskCountProblem: ValueCheck = (value) => {
  if (value === "infinity") return undefined;
  if (parsedPercent(value) !== undefined) return percentProblem(value);
  const count = parsedInteger(value);
  if (count !== undefined && count > 0n && count < largest) return undefined;
  return `${received(value)} is not a number of tasks; write e.g. "512", "10%" or infinity`;
};

function bytesIn(text: string): bigint {
  const refuse = (reason: string, hint = ""): never => {
    throw new BytesError(`${received(text)} is not a size in bytes: ${reason}; ${example}${hint}`);
  };
  const spoken = text.replace(/^[ \t\n\r]+|[ \t\n\r]+$/g, "");
  if (spoken === "") return refuse("it is empty");
  const part = /[ \t\n\r]*\+?(\d+)(?:\.(\d*))?[ \t\n\r]*([^ \t\n\r\d.+-]*)/y;
  let total = 0n;
  let index = 0;
  let smallest = -1;
  while (index < spoken.length) {
    part.lastIndex = index;
    const found = part.exec(spoken);
    if (found === null) {
      const rest = spoken.slice(index);
      return refuse(rest.startsWith("-") ? "it is negative" : `${received(rest)} does not begin with a number`);
    }
    const [whole, number = "", fraction = "", suffix = ""] = found;
    index += whole.length;
    const position = suffixes.indexOf(suffix);
    if (position < 0) {
      const first = suffix.charAt(0).toUpperCase();
      const isNear = suffixes.includes(first) && /^.(i?b(ytes?)?)?$/i.test(suffix);
      return refuse(
        `${received(suffix)} is no suffix`,
        isNear ? `; did you mean "${whole.trim().slice(0, -suffix.length)}${first}"?` : "",
      );
    }
    if (position <= smallest) return refuse("larger suffixes must stand first");
    smallest = position;
    total += scaled(number, fraction, 1024n ** BigInt(Math.max(0, 6 - position)));
  }
  if (total > largest) return refuse("it is larger than 64 bits hold");
  return total;
}

function scaled(number: string, fraction: string, factor: bigint): bigint {
  const fine = fraction === "" ? 0n : (BigInt(fraction) * factor) / 10n ** BigInt(fraction.length);
  return BigInt(number) * factor + fine;
}
