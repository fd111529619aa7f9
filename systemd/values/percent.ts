import { received } from "./value-check.ts";

/** A percentage, per mille (`‰`) or per ten thousand (`‱`) as a fraction of 1, or undefined where it is none. */
export function parsedPercent(text: string): number | undefined {
  const found = /^\+?(\d+(?:\.\d{1,2})?)%$|^\+?(\d+(?:\.\d)?)‰$|^\+?(\d+)‱$/.exec(text);
  if (found === null) return undefined;
  const [, percent, permille, permyriad] = found;
  if (percent !== undefined) return Number(percent) / 100;
  return permille !== undefined ? Number(permille) / 1_000 : Number(permyriad) / 10_000;
}

/** Why a text is no percentage from 0% to 100%. */
export function percentProblem(text: string): string | undefined {
  const fraction = parsedPercent(text);
  if (fraction === undefined) {
    return `${received(text)} is not a percentage; write e.g. "60%", with at most two digits after the point`;
  }
  return fraction > 1 ? `${received(text)} is more than 100%` : undefined;
}

/** Why a text is no CPU quota: a percentage of one CPU above 0%; 200% are two whole CPUs. */
export function cpuQuotaProblem(text: string): string | undefined {
  const fraction = parsedPercent(text);
  if (fraction !== undefined && fraction > 0) return undefined;
  const number = /^\d+$/.test(text) && Number(text) > 0 ? `; did you mean "${text}%"?` : "";
  return `${received(text)} is not a percentage of one CPU above 0%; write e.g. "50%" or "200%"${number}`;
}
