import { specifiersIn } from "../specifiers.ts";
import { parsedInteger } from "./integer.ts";
import { firstOf, received, type ValueCheck, wordsOf } from "./value-check.ts";

const largestIndex = 8191n;

/**
 * Why a value is no set of CPUs or memory nodes: numbers and ranges (`0-3`), with blanks or commas between; or one of
 * the directive's own words (`numa`, `all`).
 */
export const cpuSetProblem: ValueCheck = (value, directive) => {
  if (directive.values?.includes(value) === true || specifiersIn(value).length > 0) return undefined;
  const words = wordsOf(value);
  if (typeof words === "string") return words;
  const ranges = words.flatMap((word) => word.split(",")).filter((range) => range !== "");
  const accepted = ["numbers from 0 to 8191", "ranges such as 0-3", ...(directive.values ?? [])].join(", ");
  return firstOf(ranges, (range) => rangeProblem(range, accepted));
};

function rangeProblem(range: string, accepted: string): string | undefined {
  const bounds = range.split("-").map(parsedInteger);
  const first = bounds[0];
  const last = bounds.at(-1);
  if (bounds.length > 2 || first === undefined || last === undefined) {
    return `${received(range)} is no number or range; write ${accepted}`;
  }
  if (first > last) return `${received(range)} runs backwards; write the smaller number first`;
  if (last > largestIndex) return `${received(range)} is out of range; write ${accepted}`;
  return undefined;
}
