import { z } from "zod";
import { operations } from "./workload.ts";

const measured = z.strictObject({
  /** `1x20`: hosts and services on each. */
  size: z.string(),
  contender: z.string(),
  /** Which run of the contender, from 1. */
  run: z.number(),
  operation: z.enum(operations),
  seconds: z.number(),
  cpuSeconds: z.number(),
  megabytes: z.number(),
  /** Load average of the machine, over one minute, when it began. */
  load: z.number(),
});

/** One operation of one contender. */
export type Measured = z.infer<typeof measured>;

/** When, where and with what a size was measured. */
const measurement = z.strictObject({
  date: z.string(),
  machine: z.strictObject({ processors: z.number(), model: z.string(), gigabytes: z.number(), kernel: z.string() }),
  versions: z.record(z.string(), z.string()),
});

/** What was found: the content of results.json. */
export const resultsSchema = z.strictObject({
  /** By size: each was measured in one run, in which all contenders took turns. */
  sizes: z.record(z.string(), measurement),
  contenders: z.array(z.strictObject({ id: z.string(), title: z.string() })),
  measured: z.array(measured),
});

export type Results = z.infer<typeof resultsSchema>;

/** Results with those of another run in place of what there was of its sizes. */
export function joinedResults(earlier: Results | undefined, found: Results): Results {
  if (earlier === undefined) return found;
  const sizes = { ...earlier.sizes, ...found.sizes };
  const kept = earlier.measured.filter(({ size }) => !(size in found.sizes));
  const services = (size: string) => size.split("x").reduce((product, number) => product * Number(number), 1);
  const measured = [...kept, ...found.measured].sort((a, b) => services(a.size) - services(b.size));
  return { sizes, contenders: found.contenders, measured };
}

/** One cell of the table: how long an operation took a contender. */
export interface Cell {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
}

/** The cell of a size, contender and operation; undefined where it was not run. */
export function cell(
  { measured }: Results,
  size: string,
  contender: string,
  operation: Measured["operation"],
  figure: "seconds" | "cpuSeconds" = "seconds",
): Cell | undefined {
  const all = measured
    .filter((one) => one.size === size && one.contender === contender && one.operation === operation)
    .map((one) => one[figure])
    .sort((a, b) => a - b);
  if (all.length === 0) return undefined;
  const middle = (all[Math.floor((all.length - 1) / 2)]! + all[Math.ceil((all.length - 1) / 2)]!) / 2;
  return { median: middle, min: all[0]!, max: all.at(-1)!, runs: all.length };
}

/** The sizes that were run, in their order. */
export function sizesOf({ measured }: Results): string[] {
  return [...new Set(measured.map(({ size }) => size))];
}

/** `2.9 s`, `63 s`: no more figures than mean something. */
export function secondsText(seconds: number): string {
  return `${seconds < 10 ? seconds.toFixed(1) : seconds.toFixed(0)} s`;
}
