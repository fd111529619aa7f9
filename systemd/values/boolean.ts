import { didYouMean } from "../nearest.ts";
import { received } from "./value-check.ts";

const words: Readonly<Record<string, boolean>> = {
  "1": true,
  yes: true,
  y: true,
  true: true,
  t: true,
  on: true,
  "0": false,
  no: false,
  n: false,
  false: false,
  f: false,
  off: false,
};

/** What a boolean of systemd says, in any of its spellings and in any case, or undefined where it is none. */
export function parsedBoolean(text: string): boolean | undefined {
  return Object.hasOwn(words, text.toLowerCase()) ? words[text.toLowerCase()] : undefined;
}

/** Why a text is no boolean: systemd takes 1 yes y true t on and 0 no n false f off, in any case. */
export function booleanProblem(text: string): string | undefined {
  if (parsedBoolean(text) !== undefined) return undefined;
  return `${received(text)} is not a boolean; write yes or no${didYouMean(text, ["yes", "no", "true", "false"])}`;
}
