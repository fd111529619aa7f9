import { relative } from "node:path";
import { run } from "node:test";
import { type Counts, totalCounts } from "./counts.ts";

/** What {@link nodeTestCounts} runs. */
export interface NodeTestOptions {
  /** Test files, absolute. */
  files: readonly string[];
  /** How many files run at a time, each in a process of its own. */
  concurrency: number;
  /** Only tests whose name contains this text. @default - all */
  filter?: string;
  /** Seconds after which a file that has not ended is ended, and has failed. */
  timeoutSec: number;
  /** Ends the run. */
  signal?: AbortSignal;
  /** Told of failures and skipped tests, and of passed ones when `verbose`. */
  print: (line: string) => void;
  /** Also print the tests that pass. @default false */
  verbose?: boolean;
}

const outputLinesKept = 60;
const compileCache = new URL("../setup/compile-cache.ts", import.meta.url).href;

/**
 * Runs test files of node:test and counts their tests. Suites are not tests. A file that does not load, that is ended by
 * a signal, that ends with a bad exit code or that holds no test at all is a failed test. Tests marked `todo` count as
 * skipped.
 */
export async function nodeTestCounts(options: NodeTestOptions): Promise<Counts> {
  return totalCounts([...(await nodeTestRun(options)).counts.values()]);
}

/** What became of each file. */
export interface NodeTestRun {
  /** By the file that holds the tests, absolute. */
  readonly counts: ReadonlyMap<string, Counts>;
  /** How processes ended that did not end well, by the file that they were started with. */
  readonly ends: ReadonlyMap<string, string>;
}

/**
 * `nodeTestCounts`, told apart by file.
 * @param options with `leaveFiles` a file that did not end well is only told by `ends`, neither counted nor printed
 */
export async function nodeTestRun(options: NodeTestOptions & { leaveFiles?: boolean }): Promise<NodeTestRun> {
  const byFile = new Map<string, Counts>();
  const ends = new Map<string, string>();
  if (options.files.length === 0) return { counts: byFile, ends };
  const outputs = new Map<string, string>();
  const countsOf = (file = "") => {
    const counts = byFile.get(file) ?? { passed: 0, failed: 0, skipped: 0 };
    byFile.set(file, counts);
    return counts;
  };
  const fail = (file: string | undefined, name: string, reason: string) => {
    countsOf(file).failed += 1;
    options.print(`FAILED ${place(file)}${name}\n${indented(reason)}`);
  };
  const events = run({
    files: [...options.files],
    concurrency: options.concurrency,
    timeout: options.timeoutSec * 1000,
    execArgv: ["--import", compileCache],
    ...(options.filter === undefined ? {} : { testNamePatterns: [literal(options.filter)] }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  for await (const event of events) {
    if (event.type === "test:stdout" || event.type === "test:stderr") {
      const { file, message } = event.data;
      outputs.set(file, `${outputs.get(file) ?? ""}${message}`.split("\n").slice(-outputLinesKept).join("\n"));
    }
    if (event.type !== "test:pass" && event.type !== "test:fail") continue;
    const { name, file, skip, todo } = event.data;
    const isWholeFile = name === file;
    if (event.type === "test:pass") {
      if (isWholeFile) {
        // With a filter a file may have nothing to run.
        if (options.filter === undefined && options.leaveFiles !== true) fail(file, "the file", "it holds no test");
      } else if (event.data.details.type === "suite" && skip === undefined) {
        // Its tests are reported one by one.
      } else if (skip !== undefined || todo !== undefined) {
        countsOf(file).skipped += 1;
        const reason = [skip, todo].find((why) => typeof why === "string" && why !== "");
        options.print(`skipped ${place(file)}${name}${reason === undefined ? "" : `: ${reason}`}`);
      } else {
        countsOf(file).passed += 1;
        if (options.verbose === true) options.print(`passed ${place(file)}${name} (${seconds(event.data)} s)`);
      }
      continue;
    }
    const { error } = event.data.details;
    const failureType = "failureType" in error ? error.failureType : undefined;
    if (isWholeFile) {
      const output = outputs.get(name)?.trimEnd();
      const end = `${fileEnd(error)}${output === undefined || output === "" ? "" : `\n${output}`}`;
      ends.set(name, end);
      if (options.leaveFiles !== true) fail(file, "the file", end);
    } else if (event.data.details.type === "suite" && failureType === "subtestsFailed") {
      // The failed tests in it are reported one by one; a suite that failed by itself (a hook) is counted.
    } else if (todo !== undefined) {
      countsOf(file).skipped += 1;
      options.print(`skipped ${place(file)}${name}: to do, and it fails`);
    } else {
      fail(file, name, errorText(error));
    }
  }
  return { counts: byFile, ends };
}

function fileEnd(error: Error): string {
  const { exitCode, signal } = { exitCode: undefined, signal: undefined, ...error };
  if (signal !== undefined && signal !== null) return `its process was ended by ${signal}`;
  if (exitCode !== undefined && exitCode !== null) return `its process ended with exit code ${exitCode}`;
  return errorText(error);
}

function errorText(error: Error): string {
  const { cause } = error;
  if (cause instanceof Error) {
    // Frames of node:test itself tell nothing.
    const stack = (cause.stack ?? cause.message).split("\n").filter((line) => !/^ +at .*\(?node:internal\//.test(line));
    return stack.join("\n");
  }
  return cause === undefined ? error.message : String(cause);
}

function place(file: string | undefined): string {
  return file === undefined ? "" : `${relative(process.cwd(), file)}: `;
}

function seconds(data: { details: { duration_ms: number } }): string {
  return (data.details.duration_ms / 1000).toFixed(1);
}

function indented(text: string): string {
  return text
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n");
}

function literal(text: string): RegExp {
  return new RegExp(text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"));
}
