import { newestSystemd } from "../directives.ts";
import { didYouMean } from "../nearest.ts";
import { parsedBoolean } from "./boolean.ts";
import { parsedInteger } from "./integer.ts";
import { received, type ValueCheck, versionProblem } from "./value-check.ts";

/** `"stric" is not one of no, yes, full, strict; did you mean "strict"?`, or undefined for one of the words. */
export function choiceProblem(value: string, accepted: readonly string[]): string | undefined {
  if (accepted.includes(value)) return undefined;
  return `${received(value)} is not one of ${accepted.join(", ")}${didYouMean(value, accepted)}`;
}

/** Why a value is none of an `enum` directive's words, or a word that the target does not know yet. */
export const enumProblem: ValueCheck = (value, directive, systemd) => {
  const accepted = directive.values ?? [];
  if (accepted.includes(value)) return versionProblem(value, directive.valuesSince?.[value], systemd);
  if (directive.booleans === true && parsedBoolean(value) !== undefined) return undefined;
  if (directive.max !== undefined) {
    const number = parsedInteger(value);
    if (number !== undefined && number >= BigInt(directive.min ?? 0) && number <= BigInt(directive.max))
      return undefined;
  }
  if (systemd !== undefined && systemd > newestSystemd) return undefined;
  return choiceProblem(value, accepted);
};
