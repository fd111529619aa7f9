import { bytesProblem, parsedBytes } from "./bytes.ts";
import { parsedInteger } from "./integer.ts";
import { parsedTimeSpan, timeSpanProblem } from "./time-span.ts";
import { received, type ValueCheck } from "./value-check.ts";

interface LimitForm {
  readonly problem: (text: string) => string | undefined;
  /** The limit as a number, for the comparison of soft and hard. */
  readonly amount: (text: string) => number;
}

const count: LimitForm = {
  problem: (text) => {
    const number = parsedInteger(text);
    if (number !== undefined && number >= 0n && number < 2n ** 64n) return undefined;
    return `${received(text)} is not a number from 0 on; this limit takes no suffix; write e.g. "4096", "1024:4096" or infinity`;
  },
  amount: (text) => Number(parsedInteger(text)),
};

const nice: LimitForm = {
  problem: (text) => {
    const number = parsedInteger(text);
    const isLevel = /^[+-]/.test(text);
    if (number !== undefined && (isLevel ? number >= -20n && number <= 19n : number >= 0n && number <= 40n)) {
      return undefined;
    }
    return `${received(text)} is not a nice limit; write a level with its sign (-20 to +19), or 0 to 40`;
  },
  amount: (text) => (/^[+-]/.test(text) ? 20 - Number(parsedInteger(text)) : Number(parsedInteger(text))),
};

const forms: Readonly<Record<string, LimitForm>> = {
  bytes: { problem: bytesProblem, amount: parsedBytes },
  count,
  nice,
  seconds: { problem: (text) => timeSpanProblem(text), amount: (text) => parsedTimeSpan(text) },
  microseconds: {
    problem: (text) => timeSpanProblem(text, { bareUnit: "us" }),
    amount: (text) => parsedTimeSpan(text, { bareUnit: "us" }),
  },
};

/**
 * Why a value is no resource limit: one limit, or `soft:hard`, each `infinity` or in the limit's unit (bytes with
 * suffixes, time spans, nice levels, plain numbers); the soft one may not be above the hard one.
 */
export const resourceLimitProblem: ValueCheck = (value, directive) => {
  const form = forms[directive.unit ?? "count"] ?? count;
  const colon = value.indexOf(":");
  const limits = colon < 0 ? [value] : [value.slice(0, colon), value.slice(colon + 1)];
  for (const limit of limits) {
    const problem = limit === "infinity" && form !== nice ? undefined : form.problem(limit);
    if (problem !== undefined) return problem;
  }
  const [soft = 0, hard = soft] = limits.map((limit) =>
    limit === "infinity" ? Number.POSITIVE_INFINITY : form.amount(limit),
  );
  return soft > hard ? `${received(value)} has a soft limit above the hard one; the smaller stands first` : undefined;
};
