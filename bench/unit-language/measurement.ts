import { parseArgs } from "node:util";
import { bootedHost, type SandboxHost } from "../../sandbox/host.ts";
import type { DebianRelease } from "../../sandbox/release.ts";

/** One line of a table: how many cases of a kind were tried, and on how many both sides said the same. */
export interface MeasuredRow {
  readonly what: string;
  /** Version of the real systemd that was asked. */
  readonly systemd: number;
  readonly cases: number;
  readonly agree: number;
}

/** One case on which the two sides differ. */
export interface Mismatch {
  readonly what: string;
  readonly systemd: number;
  /** What both were given, so that the case can be tried again. */
  readonly input: string;
  readonly ours: string;
  readonly theirs: string;
  /** Why they differ, where that is known and accepted (docs/unit-language.md lists each). */
  readonly reason?: string;
}

/** What a script of this folder found. */
export interface Measurement {
  readonly rows: readonly MeasuredRow[];
  readonly mismatches: readonly Mismatch[];
  /** What a reader of the numbers should know besides them. */
  readonly notes?: readonly string[];
}

/** What a measurement is made of. */
export interface Draw {
  /** Seed of all random cases: the same seed gives the same cases. */
  readonly seed: number;
  /** How many random cases. */
  readonly count: number;
}

/** Several measurements as one. */
export function joined(measurements: readonly Measurement[]): Measurement {
  return {
    rows: measurements.flatMap(({ rows }) => rows),
    mismatches: measurements.flatMap(({ mismatches }) => mismatches),
    notes: [...new Set(measurements.flatMap(({ notes = [] }) => notes))],
  };
}

/** A row and the mismatches of one comparison; `theirs` and `ours` are compared as JSON. */
export function compared(
  what: string,
  systemd: number,
  cases: readonly {
    readonly input: string;
    readonly ours: unknown;
    readonly theirs: unknown;
    readonly reason?: string;
  }[],
): Measurement {
  const mismatches = cases.flatMap(({ input, ours, theirs, reason }) => {
    const sides = { ours: JSON.stringify(ours), theirs: JSON.stringify(theirs) };
    if (sides.ours === sides.theirs) return [];
    return [{ what, systemd, input, ...sides, ...(reason === undefined ? {} : { reason }) }];
  });
  return { rows: [{ what, systemd, cases: cases.length, agree: cases.length - mismatches.length }], mismatches };
}

/** Whether a module is the script that Node was started with. */
export function isScript(filename: string): boolean {
  return process.argv[1] === filename;
}

const usage = (count: number) => `options: --seed N (default: random), --count N (default ${count}), --json`;

/** `--seed`, `--count` and `--json` of the command line; ends the process with 2 when it is wrong. */
export function drawOptions(count: number): Draw & { readonly json: boolean } {
  try {
    const { values } = parseArgs({
      options: { seed: { type: "string" }, count: { type: "string" }, json: { type: "boolean" } },
    });
    const whole = (name: string, text: string | undefined, other: number): number => {
      if (text !== undefined && !/^\d{1,9}$/.test(text)) throw new TypeError(`--${name} ${text}: write a whole number`);
      return text === undefined ? other : Number(text);
    };
    return {
      seed: whole("seed", values.seed, Math.floor(Math.random() * 1e9)),
      count: whole("count", values.count, count),
      json: values.json === true,
    };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage(count)}\n`);
    process.exit(2);
  }
}

/** Boots a new host of each release, side by side, and takes them away when the body has ended. */
export async function onHosts<Result>(
  releases: readonly DebianRelease[],
  body: (hosts: readonly SandboxHost[]) => Promise<Result>,
): Promise<Result> {
  const booted = await Promise.allSettled(releases.map((release) => bootedHost({ release })));
  const hosts = booted.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  try {
    for (const result of booted) if (result.status === "rejected") throw result.reason;
    return await body(hosts);
  } finally {
    await Promise.all(hosts.map((host) => host.down()));
  }
}

/**
 * Runs a measurement as a script: prints its table and every mismatch, or all of it as JSON. The exit status is 1 when a
 * mismatch has no known reason.
 */
export async function printedMeasurement(count: number, measure: (draw: Draw) => Promise<Measurement>): Promise<void> {
  const { json, ...draw } = drawOptions(count);
  const measurement = await measure(draw);
  const { rows, mismatches, notes = [] } = measurement;
  if (json) {
    process.stdout.write(`${JSON.stringify({ ...draw, ...measurement }, undefined, 2)}\n`);
  } else {
    process.stdout.write(`seed ${draw.seed}, count ${draw.count}\n${tableText(rows)}`);
    for (const note of notes) process.stdout.write(`note: ${note}\n`);
    for (const { what, systemd, input, ours, theirs, reason = "unknown" } of mismatches) {
      process.stdout.write(
        `\nmismatch: ${what}, systemd ${systemd}\n  input   ${input.replaceAll("\n", "\n          ")}\n` +
          `  ours    ${ours}\n  theirs  ${theirs}\n  reason  ${reason}\n`,
      );
    }
  }
  process.exitCode = mismatches.every(({ reason }) => reason !== undefined) ? 0 : 1;
}

function tableText(rows: readonly MeasuredRow[]): string {
  const width = Math.max(4, ...rows.map(({ what }) => what.length));
  const line = (cells: readonly string[]) =>
    [cells[0]!.padEnd(width), ...cells.slice(1).map((cell) => cell.padStart(8))].join("  ");
  return [
    line(["what", "systemd", "cases", "agree", "percent"]),
    ...rows.map(({ what, systemd, cases, agree }) =>
      line([
        what,
        String(systemd),
        String(cases),
        String(agree),
        cases === 0 ? "-" : ((100 * agree) / cases).toFixed(1),
      ]),
    ),
    "",
  ].join("\n");
}
