import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { extname, join } from "node:path";
import { Writable } from "node:stream";
import { UsageError } from "../unit-source.ts";
import { engineAnswers } from "./engine-answers.ts";
import { engineServer } from "./engine-server.ts";
import {
  type KnownResource,
  type ProgramRecord,
  programRecord,
  type Recorded,
  type RecorderTask,
  recordedLines,
} from "./program-record.ts";
import type { ProjectFile } from "./project-file.ts";
import type { StackConfigValues } from "./stack-config.ts";

/** One run of a program, as Pulumi's language host makes it. */
export interface ProgramRun {
  readonly project: ProjectFile;
  readonly organization: string;
  readonly stack: string;
  readonly config: StackConfigValues;
  /** What to answer for resources beside their own inputs, by URN. */
  readonly known: ReadonlyMap<string, KnownResource>;
  /** Seconds after which it is ended. */
  readonly timeoutSec: number;
  /**
   * Whether errors have stack traces. The SDK takes one of each promise and resource, maps it back through source maps, and shows
   * it to nobody: of a large program they take almost half of the time.
   */
  readonly traces: boolean;
}

/** How a program ended, and what it had registered and said by then. */
export interface ProgramEnd extends ProgramRecord {
  /** Exit status; undefined when it was ended because its time was up. */
  readonly code: number | undefined;
  /** The end of what it wrote to standard output and error, both together. */
  readonly output: string;
}

const keptOutput = 20_000;
/** What a program of thousands of resources makes lives long: with less room V8 copies it again and again. */
const youngObjectsMiB = 64;

/**
 * Runs a program of Node.js the way Pulumi does, in a process of its own, by the very `@pulumi/pulumi` that it has: also a
 * TypeScript one (by ts-node, when its project does not say `typescript: false`), a compiled one, and one with `nodeargs`. No
 * engine is there: what the program asks of it is answered within the program, or by a server for copies of the SDK in bundles.
 * @throws UsageError when the program has no `@pulumi/pulumi`
 */
export async function endedProgram(run: ProgramRun): Promise<ProgramEnd> {
  const task: RecorderTask = { project: run.project.name, stack: run.stack, known: Object.fromEntries(run.known) };
  const served: Recorded[] = [];
  const server = await engineServer(engineAnswers(task, (what) => served.push(what)));
  try {
    const { lines, ...end } = await endedProcess(run, task, server.address);
    return { ...end, ...programRecord([...recordedLines(lines), ...served]) };
  } finally {
    server.close();
  }
}

function endedProcess(
  { project, config, ...run }: ProgramRun,
  task: RecorderTask,
  engine: string,
): Promise<Pick<ProgramEnd, "code" | "output"> & { lines: readonly string[] }> {
  const { options } = project;
  const flags = [
    `--organization=${run.organization}`,
    `--project=${project.name}`,
    `--root-directory=${project.folder}`,
    `--stack=${run.stack}`,
    `--pwd=${project.programFolder}`,
    `--monitor=${engine}`,
    `--engine=${engine}`,
    // As many registrations at once as there are: none of them does anything.
    "--parallel=1000",
    "--dry-run",
  ];
  const child = spawn(
    process.execPath,
    [...nodeArguments(project, run.traces), runner(project), ...flags, project.entry],
    {
      cwd: project.programFolder,
      env: {
        ...process.env,
        PULUMI_CONFIG: JSON.stringify(config.values),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(config.secretKeys),
        PULUMI_NODEJS_TYPESCRIPT: String(options.typescript !== false),
        ...(typeof options.tsconfig === "string" ? { PULUMI_NODEJS_TSCONFIG_PATH: options.tsconfig } : {}),
      },
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      output = (output + chunk).slice(-keptOutput);
    });
  }
  const recorded: Buffer[] = [];
  const [, , , channel] = child.stdio;
  channel?.on("data", (chunk: Buffer) => recorded.push(chunk));
  // A program that ends at once does not read its task.
  channel?.on("error", () => undefined);
  if (channel instanceof Writable) channel.write(`${JSON.stringify(task)}\n`);
  return new Promise((resolve, reject) => {
    let late = false;
    const bound = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, run.timeoutSec * 1000);
    child.on("error", (error) => {
      clearTimeout(bound);
      reject(error);
    });
    child.on("close", (code) => {
      clearTimeout(bound);
      // One that was ended may have been in the midst of a line.
      const lines = Buffer.concat(recorded).toString().split("\n").slice(0, -1);
      resolve({ code: late ? undefined : (code ?? 1), output, lines });
    });
  });
}

function nodeArguments({ options }: ProjectFile, traces: boolean): string[] {
  const recorder = new URL(`./program-recorder${extname(import.meta.url)}`, import.meta.url);
  return [
    ...(traces ? [] : ["--stack-trace-limit=0"]),
    `--max-semi-space-size=${youngObjectsMiB}`,
    `--import=${recorder}`,
    ...(typeof options.nodeargs === "string" ? options.nodeargs.split(/\s+/).filter(Boolean) : []),
  ];
}

function runner({ programFolder }: ProjectFile): string {
  try {
    return createRequire(join(programFolder, "program.js")).resolve("@pulumi/pulumi/cmd/run");
  } catch {
    throw new UsageError(`the program in ${programFolder} has no @pulumi/pulumi: run \`npm ci\` there first`);
  }
}
