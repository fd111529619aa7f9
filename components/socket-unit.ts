import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { mergedSections } from "../systemd/sections.ts";
import { escapedSpecifiers } from "../systemd/specifiers.ts";
import { reported, validArguments } from "./argument-error.ts";
import { componentNameProblem, sectionDirectives, textOrNumber, unitName } from "./argument-schema.ts";
import { built } from "./deferred.ts";
import type { Definition } from "./definition.ts";
import type { InstallSectionArgs, SocketSectionArgs, UnitSectionArgs } from "./section-args.generated.ts";
import { Unit, unitArgsOf } from "./unit.ts";
import { type WaiverArgs, waivedSections, waivers } from "./waiver.ts";

/** Arguments of `SocketUnit`. */
export interface SocketUnitArgs {
  /**
   * Where it listens for streams: a port on all addresses (`8000`), an address and port (`127.0.0.1:8000`, `[::1]:8000`), or
   * the path of a Unix socket. More than one: `socket.ListenStream`. Default: none.
   */
  listenStream?: pulumi.Input<string>;
  /** The same for datagrams. Default: none. */
  listenDatagram?: pulumi.Input<string>;
  /** File name of the service that gets the connections. Default: the socket's own name, `NAME.service`. */
  service?: pulumi.Input<string>;
  /** Connections that wait while the service starts or restarts; the host's `net.core.somaxconn` caps it. Default: 4096. */
  backlog?: pulumi.Input<number>;
  /** One line for people. Default: the name of the socket. */
  description?: pulumi.Input<string>;
  /** Any directive of [Socket] by its systemd name. Default: none. */
  socket?: pulumi.Input<SocketSectionArgs>;
  /** Any directive of [Unit] by its systemd name. Default: none. */
  unit?: pulumi.Input<UnitSectionArgs>;
  /** Any directive of [Install] by its systemd name. Default: `WantedBy=sockets.target`. */
  install?: pulumi.Input<InstallSectionArgs>;
  /** Lints and policies that the socket may break until a date, each with a reason. Default: none. */
  waive?: pulumi.Input<pulumi.Input<WaiverArgs>[]>;
}

/** `SocketUnitArgs` after all Outputs are known. */
export const socketUnitSchema = z
  .strictObject({
    listenStream: textOrNumber.optional(),
    listenDatagram: textOrNumber.optional(),
    service: unitName.optional(),
    backlog: z.number().int().min(1).optional(),
    description: z.string().optional(),
    socket: sectionDirectives("socket", "Socket").optional(),
    unit: sectionDirectives("socket", "Unit").optional(),
    install: sectionDirectives("socket", "Install").optional(),
    waive: waivers.optional(),
  })
  .superRefine((args, context) => {
    const listens =
      args.listenStream !== undefined ||
      args.listenDatagram !== undefined ||
      Object.keys(args.socket ?? {}).some((key) => key.startsWith("Listen"));
    if (!listens) context.addIssue({ code: "custom", message: "listens nowhere; give listenStream, such as `8000`" });
  });

type SocketUnitPlain = z.infer<typeof socketUnitSchema>;

/** The sections of a socket unit. Follows systemd.socket(5). */
export function socketSections(name: string, args: SocketUnitPlain) {
  return mergedSections(
    {
      Unit: { Description: escapedSpecifiers(args.description ?? name) },
      Socket: {
        ListenStream: args.listenStream === undefined ? undefined : [args.listenStream],
        ListenDatagram: args.listenDatagram === undefined ? undefined : [args.listenDatagram],
        Service: args.service ?? `${name}.service`,
        Backlog: args.backlog ?? 4096,
      },
      Install: { WantedBy: "sockets.target" },
    },
    { Unit: args.unit, Socket: args.socket, Install: args.install },
  );
}

/**
 * A listening socket that systemd holds for a service. It stays open while the service restarts, so that no connection is
 * refused, and it starts the service at the first connection when that is not running.
 *
 * @example
 * ```ts
 * const http = new SocketUnit("api-http", { listenStream: "8000", service: "api.service" });
 * const api = new PythonService("api", { source: "./app", exec: ["python", "-m", "orders"], socket: http });
 * ```
 */
export class SocketUnit extends pulumi.ComponentResource {
  static readonly __pulumiType = "systemd:index:SocketUnit";

  /** File name of the unit: `NAME.socket`. */
  readonly unitName: string;
  /** What a Host needs of this socket. */
  readonly definition: pulumi.Output<Definition>;

  /** @throws pulumi.ResourceError naming the argument or directive, what was received, and what is accepted */
  constructor(name: string, args: SocketUnitArgs, opts?: pulumi.ComponentResourceOptions) {
    super(SocketUnit.__pulumiType, name, {}, opts);
    this.unitName = `${name}.socket`;
    this.definition = reported(this, name, () => {
      const nameProblem = componentNameProblem(name, ".socket");
      if (nameProblem !== undefined) throw new Error(nameProblem);
      const sections = built(args, (plain) =>
        reported(this, name, () => {
          const valid = validArguments(socketUnitSchema, plain);
          return waivedSections(socketSections(name, valid), valid.waive);
        }),
      );
      return new Unit(this.unitName, unitArgsOf(sections, ["Unit", "Socket", "Install", "waive"]), { parent: this })
        .definition;
    });
    this.registerOutputs({ unitName: this.unitName });
  }
}
