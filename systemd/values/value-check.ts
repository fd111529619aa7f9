import type { Directive } from "../directive.ts";
import { splitWords, WordSyntaxError } from "../words.ts";

/**
 * Why systemd does not accept a value, in one sentence that begins with what was received, or undefined where it does.
 * @param systemd Version of the target; undefined stands for any.
 */
export type ValueCheck = (value: string, directive: Directive, systemd: number | undefined) => string | undefined;

const longestEcho = 80;

/** A value in quotes as messages show it; a long one is cut. */
export function received(value: string): string {
  return JSON.stringify(value.length > longestEcho ? `${value.slice(0, longestEcho)}...` : value);
}

/** `"x" needs systemd 254, the target has 252`, or undefined where the target is new enough or not known. */
export function versionProblem(what: string, since: number | undefined, systemd: number | undefined) {
  if (since === undefined || systemd === undefined || since <= systemd) return undefined;
  return `${received(what)} needs systemd ${since}, the target has ${systemd}`;
}

/** The words of a list value, quotes undone and backslashes kept, or why it cannot be split. */
export function wordsOf(value: string): readonly string[] | string {
  try {
    return splitWords(value.replaceAll("\\", "\\\\"));
  } catch (error) {
    if (error instanceof WordSyntaxError)
      return `${received(value)} cannot be split into words: a quote is never closed`;
    throw error;
  }
}

/** The first problem that a check finds in the words of a list value. */
export function firstWordProblem(value: string, problemOf: (word: string) => string | undefined): string | undefined {
  const words = wordsOf(value);
  if (typeof words === "string") return words;
  return firstOf(words, problemOf);
}

/** The first problem that a check finds in a list of words. */
export function firstOf(words: readonly string[], problemOf: (word: string) => string | undefined): string | undefined {
  for (const word of words) {
    const problem = problemOf(word);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
