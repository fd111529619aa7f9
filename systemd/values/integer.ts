import { received } from "./value-check.ts";

const radixes: readonly (readonly [RegExp, string])[] = [
  [/^0x[0-9a-f]+$/i, "0x"],
  [/^0b[01]+$/i, "0b"],
  [/^0o[0-7]+$/i, "0o"],
  [/^0[0-7]*$/, "0o"],
  [/^[1-9][0-9]*$/, ""],
];

/**
 * A whole number as systemd reads it, or undefined: decimal, `0x` hexadecimal, `0b` binary, and octal after `0o` or a
 * plain `0`, with an optional sign.
 */
export function parsedInteger(text: string): bigint | undefined {
  const sign = text.startsWith("-") ? -1n : 1n;
  const digits = text.replace(/^[+-]/, "");
  for (const [form, prefix] of radixes) {
    if (form.test(digits)) return sign * BigInt(prefix === "0o" ? `0o0${digits.replace(/^0o?/i, "")}` : digits);
  }
  return undefined;
}

/** Why a text is no whole number within bounds. */
export function integerProblem(text: string, min: number, max: number): string | undefined {
  const parsed = parsedInteger(text);
  if (parsed === undefined) return `${received(text)} is not a whole number; write one from ${min} to ${max}`;
  if (parsed < BigInt(min) || parsed > BigInt(max)) return `${received(text)} is out of range; write ${min} to ${max}`;
  return undefined;
}

/** Why a text is no octal file mode: up to 7777, digits only. */
export function modeProblem(text: string): string | undefined {
  if (/^[0-7]+$/.test(text) && Number.parseInt(text, 8) <= 0o7777) return undefined;
  return `${received(text)} is not an octal mode; write one such as 0755, at most 7777`;
}
