import * as pulumi from "@pulumi/pulumi";
import { releaseArchive, releaseRoot } from "../activation/release.ts";
import type { Definition } from "./definition.ts";
import type { PythonServicePlain, ServiceCommonArgs } from "./service-args.ts";
import { pythonServiceSchema } from "./service-args.ts";
import type { ServicePlan } from "./service-definition.ts";
import { serviceDefinition } from "./service-definition.ts";

/** Arguments of `PythonService`. Exactly one of `source` and `directory` says where the code is. */
export interface PythonServiceArgs extends ServiceCommonArgs {
  /**
   * Directory on this machine that is shipped to the host as a release, `/opt/NAME/releases/HASH`, with `/opt/NAME/current`
   * pointing to the one that runs. It belongs to root; the service can read it. Default: none.
   */
  source?: pulumi.Input<string>;
  /** Directory on the host that already holds the code. Default: none. */
  directory?: pulumi.Input<string>;
  /**
   * Python that runs it: an absolute path on the host, or one relative to the code, such as `venv/bin/python`. It takes the
   * place of a first word `python` or `python3` in `exec`. Default: `/usr/bin/python3`.
   */
  interpreter?: pulumi.Input<string>;
}

/**
 * A PythonService in the words of a Service: where its code is, which interpreter runs it, and what it ships.
 * @throws Error naming the argument, what was received, and what is accepted
 */
export function pythonServicePlan(name: string, plain: PythonServicePlain): ServicePlan {
  const { source, directory, interpreter = "/usr/bin/python3", ...common } = plain;
  if ((source === undefined) === (directory === undefined)) {
    throw new Error(
      source === undefined
        ? "source, directory: one of the two must say where the code is: `source` ships a directory of this machine, `directory` names one on the host"
        : "source, directory: both are given; `source` ships a directory of this machine, `directory` names one on the host: keep one",
    );
  }
  const code = directory ?? `${releaseRoot(name)}/current`;
  const python = interpreter.startsWith("/") ? interpreter : `${code}/${interpreter}`;
  const [program = "", ...words] = common.exec;
  return {
    args: {
      ...common,
      exec: [program === "python" || program === "python3" ? python : program, ...words],
      workingDirectory: common.workingDirectory ?? code,
      environment: { PYTHONUNBUFFERED: "1", ...common.environment },
    },
    releases: source === undefined ? [] : [shippedRelease(name, source)],
  };
}

function shippedRelease(name: string, source: string) {
  try {
    const archive = releaseArchive(source);
    return { name, sha256: archive.sha256, archive: archive.path };
  } catch (error) {
    throw new Error(`source: ${error instanceof Error ? error.message : String(error)}`);
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

  /** File name of the unit: `NAME.service`. */
  readonly unitName: string;
  /** What a Host needs of this service. */
  readonly definition: pulumi.Output<Definition>;

  /** @throws pulumi.ResourceError naming the argument or directive, what was received, and what is accepted */
  constructor(name: string, args: PythonServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    super(PythonService.__pulumiType, name, {}, opts);
    this.unitName = `${name}.service`;
    this.definition = serviceDefinition(this, name, args, pythonServiceSchema, (plain) =>
      pythonServicePlan(name, plain as PythonServicePlain),
    );
    this.registerOutputs({ unitName: this.unitName });
  }
}
