import { existsSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { releaseName } from "../activation/bundle.ts";
import { plannedEnvironment } from "../activation/environment.ts";
import { isWheel, releaseArchive, releaseId, releaseRoot } from "../activation/release.ts";
import { reported } from "./argument-error.ts";
import type { DefinedEnvironment, DefinedHook, DefinedRelease, Definition } from "./definition.ts";
import { type ReleaseArgs, secondsOf } from "./release-args.ts";
import type { PythonServicePlain, ServiceCommonArgs } from "./service-args.ts";
import { pythonServiceSchema } from "./service-args.ts";
import type { ServicePlan } from "./service-definition.ts";
import { serviceDefinition } from "./service-definition.ts";
import { serviceUnitName, serviceUnits } from "./service-instances.ts";

/** Arguments of `PythonService`. Exactly one of `source` and `directory` says where the code is. */
export interface PythonServiceArgs extends ServiceCommonArgs, ReleaseArgs {
  /** Directory on the host that already holds the code. Default: none. */
  directory?: pulumi.Input<string>;
  /**
   * Python that runs code without `requirements`: an absolute path on the host, or one relative to the code, such as
   * `venv/bin/python`. It takes the place of a first word `python` or `python3` in `exec`. Default: `/usr/bin/python3`.
   */
  interpreter?: pulumi.Input<string>;
}

const ofRelease = [
  "ignore",
  "requirements",
  "wheelhouse",
  "python",
  "packageIndex",
  "installer",
  "uvVersion",
  "buildSec",
  "check",
  "preStart",
  "postStart",
  "hookSec",
  "keepReleases",
] as const satisfies readonly (keyof ReleaseArgs)[];

/**
 * A PythonService in the words of a Service: where its code is, which interpreter runs it, and what it ships.
 * @throws Error naming the argument, what was received, and what is accepted
 */
export function pythonServicePlan(name: string, plain: PythonServicePlain): ServicePlan {
  const { source, directory, interpreter, ...common } = plain;
  if ((source === undefined) === (directory === undefined)) {
    throw new Error(
      source === undefined
        ? "source, directory: one of the two must say where the code is: `source` ships code of this machine, `directory` names a directory on the host"
        : "source, directory: both are given; `source` ships code of this machine, `directory` names a directory on the host: keep one",
    );
  }
  const idle = source === undefined ? ofRelease.find((key) => plain[key] !== undefined) : undefined;
  if (idle !== undefined)
    throw new Error(`${idle}: belongs to a release; it needs \`source\` in place of \`directory\``);
  const release = source === undefined ? undefined : shippedRelease(name, source, plain);
  const code = release === undefined ? (directory ?? "") : `${releaseRoot(name)}/releases/${release.id}`;
  if (release?.environment !== undefined && interpreter !== undefined) {
    throw new Error("interpreter: is given together with requirements, whose environment has its own; write `python`");
  }
  const programs = release?.environment === undefined ? undefined : `${code}/.venv/bin`;
  const resolved = (words: readonly string[]) => resolvedCommand(words, code, interpreter, programs);
  const hooks = (["check", "preStart", "postStart"] as const).flatMap((kind): DefinedHook[] => {
    const words = plain[kind];
    if (words === undefined) return [];
    const seconds = secondsOf(plain.hookSec ?? "5min");
    return [{ release: name, unit: `${name}.service`, kind: hookKinds[kind], exec: resolved(words), seconds }];
  });
  return {
    args: {
      ...common,
      exec: resolved(common.exec),
      ...(common.reload === undefined ? {} : { reload: resolved(common.reload) }),
      workingDirectory: common.workingDirectory ?? code,
      environment: {
        PYTHONUNBUFFERED: "1",
        ...(programs === undefined ? {} : { PATH: `${programs}:/usr/local/bin:/usr/bin:/bin` }),
        ...common.environment,
      },
    },
    releases: release === undefined ? [] : [release],
    hooks,
  };
}

const hookKinds = { check: "check", preStart: "pre-start", postStart: "post-start" } as const;

/**
 * A command with its program where the host has it. With an environment, every plain name is one of its programs: to run one
 * of the host's, give its absolute path.
 */
function resolvedCommand(
  [program = "", ...words]: readonly string[],
  code: string,
  interpreter = "/usr/bin/python3",
  programs?: string,
): string[] {
  const isPython = program === "python" || program === "python3";
  if (programs !== undefined && !program.includes("/"))
    return [`${programs}/${isPython ? "python" : program}`, ...words];
  if (!isPython) return [program, ...words];
  return [interpreter.startsWith("/") ? interpreter : `${code}/${interpreter}`, ...words];
}

function shippedRelease(name: string, source: string, plain: PythonServicePlain): DefinedRelease {
  if (!releaseName.test(name)) {
    throw new Error(
      `${JSON.stringify(name)} is no name of a service that ships code; write letters, digits and . _ @ -, beginning with a letter or a digit`,
    );
  }
  const archive = named("source", () => releaseArchive(source, plain.ignore));
  const environment = shippedEnvironment(source, plain);
  return {
    name,
    sha256: archive.sha256,
    archive: archive.path,
    id: releaseId(archive.sha256, environment?.digest),
    keep: plain.keepReleases ?? 3,
    ...(environment === undefined ? {} : { environment }),
  };
}

function shippedEnvironment(source: string, plain: PythonServicePlain): DefinedEnvironment | undefined {
  const { requirements, wheelhouse, python, installer = "auto", uvVersion } = plain;
  const lock = requirements === undefined ? undefined : lockPath(source, requirements);
  const environment = named("requirements", () => plannedEnvironment({ source, lock, wheelhouse, python }));
  if (environment === undefined) return undefined;
  if (environment.lockKind === "uv" && installer === "pip") {
    throw new Error(
      "installer: is pip, and only uv reads a uv.lock; leave it out, or lock to requirements.txt or pylock.toml",
    );
  }
  return {
    digest: environment.digest,
    lockKind: environment.lockKind,
    inputs: [...environment.inputs],
    isHashed: environment.isHashed,
    installer,
    buildSec: secondsOf(plain.buildSec ?? "10min"),
    ...(python === undefined ? {} : { python }),
    ...(uvVersion === undefined ? {} : { uv: uvVersion }),
    ...(isWheel(source) ? { wheel: basename(source) } : {}),
    ...(environment.wheelhouse === undefined
      ? {}
      : { wheelhouse: environment.wheelhouse.path, wheelhouseSha256: environment.wheelhouse.sha256 }),
  };
}

/** Where a lock is: in the source, else relative to the working directory. */
function lockPath(source: string, requirements: string): string {
  const inSource = join(source, requirements);
  const isDirectory = statSync(source, { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (isDirectory && !requirements.startsWith("/") && existsSync(inSource)) return inSource;
  if (existsSync(requirements)) return requirements;
  throw new Error(
    `requirements: ${JSON.stringify(requirements)} is neither in ${JSON.stringify(source)} nor in the working directory`,
  );
}

/** What a step throws, with the name of the argument in front unless it names one. */
function named<T>(argument: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(/^[a-z][A-Za-z]*: /.test(message) ? message : `${argument}: ${message}`);
  }
}

/**
 * A Python program that systemd runs as a service: its code, its interpreter, hardened, watched and restarted by default.
 * Every default is a directive that the preview shows and that `service` overrides by its own name.
 *
 * @example
 * ```ts
 * const api = new PythonService("api", {
 *   source: "./app",
 *   requirements: "requirements.txt",
 *   preStart: ["python", "-m", "orders.migrate"],
 *   exec: ["python", "-m", "orders"],
 *   user: "orders",
 *   createUser: true,
 *   secretEnvironment: { API_KEY: config.requireSecret("apiKey") },
 *   watchdogSec: "90s",
 *   service: { MemoryMax: "512M" },
 * });
 * ```
 */
export class PythonService extends pulumi.ComponentResource {
  static readonly __pulumiType = "systemd:index:PythonService";

  /** File name of the unit: `NAME.service`; with instances that of their template, `NAME@.service`. */
  readonly unitName: string;
  /** File names of the units that run: the unit alone, or one for each instance. */
  readonly unitNames: string[];
  /** What a Host needs of this service. */
  readonly definition: pulumi.Output<Definition>;

  /** @throws pulumi.ResourceError naming the argument or directive, what was received, and what is accepted */
  constructor(name: string, args: PythonServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    super(PythonService.__pulumiType, name, {}, opts);
    this.unitName = serviceUnitName(name, args);
    this.unitNames = reported(this, name, () => serviceUnits(name, args).map((unit) => unit.name));
    this.definition = serviceDefinition(this, name, args, pythonServiceSchema, (plain) =>
      pythonServicePlan(name, plain as PythonServicePlain),
    );
    this.registerOutputs({ unitName: this.unitName });
  }
}
