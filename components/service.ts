import * as pulumi from "@pulumi/pulumi";
import { reported } from "./argument-error.ts";
import type { Definition } from "./definition.ts";
import type { ServiceCommonArgs, ServicePlain } from "./service-args.ts";
import { serviceSchema } from "./service-args.ts";
import { serviceDefinition } from "./service-definition.ts";
import { serviceUnitName, serviceUnits } from "./service-instances.ts";

/** Arguments of `Service`. */
export interface ServiceArgs extends ServiceCommonArgs {}

/**
 * A program that systemd runs, contained and restarted by default. For a program written in Python use PythonService.
 *
 * @example
 * ```ts
 * const exporter = new Service("node-exporter", {
 *   exec: ["/usr/bin/prometheus-node-exporter"],
 *   service: { MemoryMax: "64M" },
 * });
 * ```
 */
export class Service extends pulumi.ComponentResource {
  static readonly __pulumiType = "systemd:index:Service";

  /** File name of the unit: `NAME.service`; with instances that of their template, `NAME@.service`. */
  readonly unitName: string;
  /** File names of the units that run: the unit alone, or one for each instance. */
  readonly unitNames: string[];
  /** What a Host needs of this service. */
  readonly definition: pulumi.Output<Definition>;

  /** @throws pulumi.ResourceError naming the argument or directive, what was received, and what is accepted */
  constructor(name: string, args: ServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    super(Service.__pulumiType, name, {}, opts);
    this.unitName = serviceUnitName(name, args);
    this.unitNames = reported(this, name, () => serviceUnits(name, args).map((unit) => unit.name));
    this.definition = serviceDefinition(this, name, args, serviceSchema, (plain) => ({
      args: plain as ServicePlain,
      releases: [],
      hooks: [],
    }));
    this.registerOutputs({ unitName: this.unitName });
  }
}
