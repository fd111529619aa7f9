import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { UsageError } from "../unit-source.ts";
import type { ProjectFile } from "./project-file.ts";
import type { StackConfigValues } from "./stack-config.ts";

/** One run of a program, as Pulumi's language host makes it. */
export interface ProgramRun {
  readonly project: ProjectFile;
  readonly organization: string;
  readonly stack: string;
  readonly config: StackConfigValues;
  /** Where the program finds its engine. */
  readonly engine: string;
  /** Seconds after which it is ended. */
  readonly timeoutSec: number;
  /**
   * Whether errors have stack traces. The SDK takes one of each promise and resource, maps it back through source maps, and shows
   * it to nobody: of a large program they take almost half of the time.
   */
  readonly traces: boolean;
}

/** How a program ended. */
export interface ProgramEnd {
  /** Exit status; undefined when it was ended because its time was up. */
  readonly code: number | undefined;
  /** The end of what it wrote to standard output and error, both together. */
  readonly output: string;
}

const keptOutput = 20_000;

/**
 * Runs a program of Node.js the way Pulumi does, in a process of its own, by the very `@pulumi/pulumi` that it has: also a
 * TypeScript one (by ts-node, when its project does not say `typescript: false`), a compiled one, and one with `nodeargs`.
 * @throws UsageError when the program has no `@pulumi/pulumi`
 */
export function endedProgram({ project, config, ...run }: ProgramRun): Promise<ProgramEnd> {
  const { options } = project;
  const traces = run.traces ? [] : ["--stack-trace-limit=0"];
  const nodeArguments = typeof options.nodeargs === "string" ? options.nodeargs.split(/\s+/).filter(Boolean) : [];
  const flags = [
    `--organization=${run.organization}`,
    `--project=${project.name}`,
    `--root-directory=${project.folder}`,
    `--stack=${run.stack}`,
    `--pwd=${project.programFolder}`,
    `--monitor=${run.engine}`,
    `--engine=${run.engine}`,
    // As many registrations at once as there are: none of them does anything.
    "--parallel=1000",
    "--dry-run",
  ];
  const child = spawn(
    process.execPath,
    [...traces, ...onlyRegistrations(project), ...nodeArguments, runner(project), ...flags, project.entry],
    {
      cwd: project.programFolder,
      env: {
        ...process.env,
        PULUMI_CONFIG: JSON.stringify(config.values),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(config.secretKeys),
        PULUMI_NODEJS_TYPESCRIPT: String(options.typescript !== false),
        ...(typeof options.tsconfig === "string" ? { PULUMI_NODEJS_TSCONFIG_PATH: options.tsconfig } : {}),
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      output = (output + chunk).slice(-keptOutput);
    });
  }
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
      resolve({ code: late ? undefined : (code ?? 1), output });
    });
  });
}

/**
 * Arguments of Node that leave out what the SDK does for each resource and nobody sees here: several messages for debugging,
 * one after the other, each awaited; and the source positions of its registration. Of a large program that is half of the time.
 */
function onlyRegistrations({ programFolder }: ProjectFile): string[] {
  const source = `import { createRequire } from "node:module";
    const program = createRequire(${JSON.stringify(join(programFolder, "program.js"))});
    program("@pulumi/pulumi/log").debug = () => Promise.resolve();
    program("@pulumi/pulumi/resource").Resource.callsites = () => [];`;
  return ["--import", `data:text/javascript,${encodeURIComponent(source)}`];
}

function runner({ programFolder }: ProjectFile): string {
  try {
    return createRequire(join(programFolder, "program.js")).resolve("@pulumi/pulumi/cmd/run");
  } catch {
    throw new UsageError(`the program in ${programFolder} has no @pulumi/pulumi: run \`npm ci\` there first`);
  }
}
