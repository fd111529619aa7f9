import { firstWord, WordSyntaxError } from "../words.ts";

const truths: Readonly<Record<string, boolean>> = {
  ...Object.fromEntries(["1", "yes", "y", "true", "t", "on"].map((word) => [word, true])),
  ...Object.fromEntries(["0", "no", "n", "false", "f", "off"].map((word) => [word, false])),
};

/** A boolean as systemd reads it; undefined for any other text, also for the empty one. */
export function booleanOf(value: string): boolean | undefined {
  return truths[value.toLowerCase()];
}

/** One of some words, exactly; undefined for any other text. */
export function oneOf<const T extends string>(value: string, words: readonly T[]): T | undefined {
  return words.find((word) => word === value);
}

/** The words of a list; as systemd does, those before a quoting fault only. */
export function wordsBeforeFault(value: string): readonly string[] {
  const words: string[] = [];
  try {
    for (let word = firstWord(value, 0); word !== undefined; word = firstWord(value, word.next)) words.push(word.text);
  } catch (error) {
    if (!(error instanceof WordSyntaxError)) throw error;
  }
  return words;
}

/** An absolute path without double slashes and `.` parts; undefined if systemd would refuse it. */
export function simplifiedPath(value: string): string | undefined {
  if (!value.startsWith("/")) return undefined;
  const parts = value.split("/").filter((part) => part !== "" && part !== ".");
  return parts.includes("..") ? undefined : `/${parts.join("/")}`;
}
