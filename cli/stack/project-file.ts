import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { UsageError } from "../unit-source.ts";
import { pulumiYaml } from "./pulumi-yaml.ts";

const projectSchema = z.looseObject({
  name: z.string().min(1),
  main: z.string().min(1).optional(),
  runtime: z.union([
    z.string(),
    z.looseObject({ name: z.string(), options: z.record(z.string(), z.unknown()).optional() }),
  ]),
  config: z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
  stackConfigDir: z.string().optional(),
});

/** What `Pulumi.yaml` says about a program. */
export interface ProjectFile {
  readonly name: string;
  /** Folder of `Pulumi.yaml`. */
  readonly folder: string;
  /** Folder in which the program runs. */
  readonly programFolder: string;
  /** What is run: a file or a folder; `.` leaves the choice to the program's `package.json`. */
  readonly entry: string;
  /** `runtime.options` of the Node.js language host. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Values that the project gives to every stack, by their config key as written. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Folder of the stacks' config files. */
  readonly stackFolder: string;
}

/**
 * Reads the `Pulumi.yaml` of a folder or of the nearest one above it.
 * @throws UsageError when there is none, or when its program is not for Node.js
 */
export function projectFile(start: string): ProjectFile {
  const path = nearest(resolve(start));
  const parsed = projectSchema.safeParse(yaml(path));
  if (!parsed.success) throw new UsageError(`${path} is not a Pulumi project: ${z.prettifyError(parsed.error)}`);
  const { name, main, runtime, config, stackConfigDir } = parsed.data;
  const language = typeof runtime === "string" ? runtime : runtime.name;
  if (language !== "nodejs") {
    throw new UsageError(`${path}: its program runs on ${language}; only programs of Node.js can be looked at here`);
  }
  const folder = dirname(path);
  const place = main === undefined ? folder : join(folder, main);
  const kind = statSync(place, { throwIfNoEntry: false });
  if (kind === undefined) throw new UsageError(`${path}: main names ${main}, which does not exist`);
  return {
    name,
    folder,
    programFolder: kind.isDirectory() ? place : dirname(place),
    entry: kind.isDirectory() ? "." : place,
    options: (typeof runtime === "string" ? undefined : runtime.options) ?? {},
    config: typeof config === "object" ? config : {},
    // `config: FOLDER` is the older way to write it.
    stackFolder: join(folder, stackConfigDir ?? (typeof config === "string" ? config : ".")),
  };
}

/** A YAML file as plain data. @throws UsageError naming the file and the place of the mistake */
export function yaml(path: string): unknown {
  try {
    return pulumiYaml(readFileSync(path, "utf8"), path);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function nearest(start: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    for (const name of ["Pulumi.yaml", "Pulumi.yml"]) {
      if (existsSync(join(folder, name))) return join(folder, name);
    }
    if (dirname(folder) === folder) {
      throw new UsageError(
        `no Pulumi.yaml in ${start} or above it: run this in a Pulumi project, or name it with --cwd`,
      );
    }
  }
}
