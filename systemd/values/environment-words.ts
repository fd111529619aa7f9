import { environmentNameProblem } from "../environment.ts";
import { specifiersIn } from "../specifiers.ts";
import { splitWords, WordSyntaxError } from "../words.ts";
import { firstOf, received, type ValueCheck } from "./value-check.ts";

/**
 * Why a value is no list of `NAME=value` words. Names a variable at most, never its value. Words that are no assignment
 * are what is left of a value with blanks and without quotes.
 */
export const environmentProblem: ValueCheck = (value) =>
  assignmentsProblem(value, (word, before) => {
    const name = word.includes("=") ? word.slice(0, word.indexOf("=")) : undefined;
    const problem = name === undefined ? "the first word is no assignment; write NAME=value" : nameProblem(name);
    if (problem === undefined || before === undefined) return problem;
    const owner = before.slice(0, before.indexOf("="));
    return `a word behind the assignment of ${owner} is no assignment; put the whole assignment in quotes, as in "${owner}=two words"`;
  });

/** Why a value is no list of names of variables. */
export const environmentNamesProblem: ValueCheck = (value) => assignmentsProblem(value, nameProblem);

/** Why a value is no list of names of variables or `NAME=value` words. */
export const environmentRemovalsProblem: ValueCheck = (value) =>
  assignmentsProblem(value, (word) => nameProblem(word.split("=")[0] ?? ""));

/** Why a value is no list of `FIELD=value` words for the journal: fields of A-Z, 0-9 and _, up to 64 characters. */
export const journalFieldsProblem: ValueCheck = (value) =>
  assignmentsProblem(value, (word) => {
    const field = word.split("=")[0] ?? "";
    if (!word.includes("=")) return `${received(word)} is no FIELD=value; put a value with blanks in quotes`;
    if (/^[A-Z][A-Z0-9_]{0,63}$/.test(field)) return undefined;
    return `${received(field)} is no journal field; write A-Z, 0-9 and _, beginning with a letter`;
  });

function nameProblem(name: string): string | undefined {
  return specifiersIn(name).length > 0 ? undefined : environmentNameProblem(name);
}

function assignmentsProblem(
  value: string,
  problemOf: (word: string, before: string | undefined) => string | undefined,
): string | undefined {
  let words: readonly string[];
  try {
    words = splitWords(value, { unknownEscapes: "refuse" });
  } catch (error) {
    if (error instanceof WordSyntaxError) return `the value cannot be split into words: ${error.message}`;
    throw error;
  }
  let before: string | undefined;
  return firstOf(words, (word) => {
    const problem = problemOf(word, before);
    before = word;
    return problem;
  });
}
