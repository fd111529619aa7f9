import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { sentInput } from "../activation/host-command.ts";
import { receiptSchema } from "../activation/receipt.ts";
import { reported, validArguments } from "./argument-error.ts";
import { scopePartProblem, unitName } from "./argument-schema.ts";
import { built, fieldOf, joined, mapped, outputOf } from "./deferred.ts";
import type { Definition, DefinitionSource } from "./definition.ts";
import { unlessFailed } from "./failed-update.ts";
import { hostBundle, releaseUploads } from "./host-bundle.ts";
import { hostCommands, previousCommand } from "./host-commands.ts";
import { confirmationHandler } from "./host-confirmation.ts";
import type { HostConnectionArgs } from "./host-connection.ts";
import { acceptedKeys, hostConnectionSchema, hostKeyProblems, unpinnedEndpoints } from "./host-connection.ts";
import { type HostReceipt, hostReceipt } from "./host-receipt.ts";
import { type FittingDefinitions, fittingDefinitions, type OlderSystemd } from "./host-systemd.ts";
import { reportedSystemd } from "./host-transport.ts";
import { HostVerify } from "./host-verify.ts";
import { knownValue } from "./output-value.ts";
import { hostVerdict, warnOnce } from "./unit-lints.ts";
import { type WaiverArgs, waivers } from "./waiver.ts";

/** Arguments of `Host`. */
export interface HostArgs {
  /** How the host is reached over SSH. */
  connection: HostConnectionArgs;
  /** What runs on it: components of this package. The same component may be given to several hosts. */
  units: DefinitionSource[];
  /**
   * Why the host's key is not checked, in words for the reviewer. Without it a connection without `hostKey` is an error; a
   * policy refuses it in production. Default: none.
   */
  insecureSkipHostKey?: pulumi.Input<string>;
  /**
   * Major version of the host's systemd, such as 252. What is newer is then an error at preview. Default: what the same host
   * reported at its last update; before the first one it says so itself, before it changes anything.
   */
  systemd?: pulumi.Input<number>;
  /**
   * File names of units that the host has from elsewhere and that `units` refer to, such as `redis-server.service`. A
   * timer, socket or path that starts any other unit, not among `units`, is warned of. Default: none.
   */
  externalUnits?: pulumi.Input<pulumi.Input<string>[]>;
  /** What becomes of a directive that `systemd` is too old for: `refuse` or `omit`. Default: `refuse`. */
  olderSystemd?: pulumi.Input<OlderSystemd>;
  /** Seconds for one transaction on the host, the way back not included. Default: 900. */
  transactionSec?: pulumi.Input<number>;
  /** Seconds for any one start, stop or reload. Default: 300. */
  waitSec?: pulumi.Input<number>;
  /**
   * What this Host may take over although somebody else made it: absolute paths of files, file names of units. Without it
   * anything that is already there with other content is an error. What is found is kept on the host, with its mode, owner,
   * enablement and whether it ran, and given back when it leaves the program, or at destroy. A unit that a package brings is
   * overridden, never changed. An entry may go once it was applied. Default: none.
   */
  adopt?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Whether a change must be confirmed over a new SSH connection, made after the switch and its checks. A change that cuts
   * off SSH is then taken back by the host itself, also over a restart. Default: false.
   */
  confirm?: pulumi.Input<boolean>;
  /** Seconds after the switch within which it must be confirmed. Default: 60. */
  confirmSec?: pulumi.Input<number>;
  /**
   * How many generations the host keeps, the present one included, so that `pulumi-systemd-host rollback` on it can go back:
   * units, files with their secrets (readable by root alone), code. 1 keeps no other. Default: 5.
   */
  keepGenerations?: pulumi.Input<number>;
  /**
   * When an update asks the host itself although the program has not changed: `changes` never, `drift` looks at it in every
   * preview and update and plans the repair of what differs, `always` runs the transaction. Default: `changes`.
   */
  verify?: pulumi.Input<HostVerify>;
  /** Policies that the host itself may break until a date, each with a reason. Default: none. */
  waive?: pulumi.Input<pulumi.Input<WaiverArgs>[]>;
}

const adoptable = z.string().regex(/^\/[^\0\n]+$|^[^/\s]+\.[a-z]+$/, {
  error: ({ input }) =>
    `${JSON.stringify(input)} is neither an absolute path nor the file name of a unit such as nginx.service`,
});

const inventoryShape = {
  systemd: z.number().int().min(247, "is too old; the host needs systemd 247 or later").max(999).optional(),
  olderSystemd: z.enum(["refuse", "omit"]).optional(),
  externalUnits: z.array(unitName).optional(),
};

/** What units are checked against before the host is reached. */
const inventorySchema = z.strictObject(inventoryShape);
type Inventory = z.infer<typeof inventorySchema>;

/** Fields of `HostArgs` that say what the host has and how long it may take. */
export const hostLimitsShape = {
  ...inventoryShape,
  transactionSec: z.number().int().min(1).max(86_400).optional(),
  waitSec: z.number().int().min(1).max(86_400).optional(),
  adopt: z.array(adoptable).optional(),
  confirm: z.boolean().optional(),
  confirmSec: z.number().int().min(5, "is too short for a new connection; give 5 s or more").max(3600).optional(),
  keepGenerations: z.number().int().min(1).max(50).optional(),
  verify: z.enum(HostVerify).optional(),
  waive: waivers.optional(),
};

/** An argument that would do nothing is a mistake. */
function checkConfirmation(args: { confirm?: unknown; confirmSec?: unknown }, context: z.RefinementCtx): void {
  if (args.confirmSec === undefined || args.confirm === true) return;
  context.addIssue({ code: "custom", path: ["confirmSec"], message: "does nothing without `confirm: true`" });
}

/** `HostArgs` without its units, after all Outputs are known. */
export const hostSchema = z
  .strictObject({
    connection: hostConnectionSchema,
    insecureSkipHostKey: z.string().min(1, "is empty; say why the host's key is not checked").optional(),
    ...hostLimitsShape,
  })
  .superRefine((args, context) => {
    for (const problem of hostKeyProblems(args.connection)) context.addIssue({ code: "custom", ...problem });
    checkConfirmation(args, context);
    if (args.insecureSkipHostKey !== undefined) return;
    for (const endpoint of unpinnedEndpoints(args.connection)) {
      context.addIssue({
        code: "custom",
        path: endpoint.split("."),
        message:
          "is missing, so anyone could pose as this host; give its public key (`ssh-keyscan -t ed25519 HOST`, checked by hand), or a reason in insecureSkipHostKey",
      });
    }
  });

/**
 * One machine with systemd, brought to what its definitions say in one transaction over SSH: it reaches the new state, or is
 * back on the old one and the update fails with the reason. Destroying it takes away exactly what it brought.
 *
 * @example
 * ```ts
 * const web1 = new Host("web1", {
 *   connection: { host: "web1.example.org", user: "deploy", privateKey, hostKey: "ssh-ed25519 AAAA..." },
 *   units: [api, nightly],
 * });
 * ```
 */
export class Host extends pulumi.ComponentResource {
  static readonly __pulumiType = "systemd:index:Host";

  /** What the last transaction did: actions with their reasons, the state of each unit, warnings. No secret is in it. */
  readonly receipt: pulumi.Output<HostReceipt>;

  /** @throws pulumi.ResourceError naming the argument, what was received, and what is accepted */
  constructor(name: string, args: HostArgs, opts?: pulumi.ComponentResourceOptions) {
    const { units, ...own } = args;
    const definitions: pulumi.Output<Definition[]> = outputOf(
      joined(units.map(({ definition }) => outputOf<Definition>(definition))),
    );
    super(
      Host.__pulumiType,
      name,
      {
        address: args.connection.host,
        user: args.connection.user ?? "root",
        hostKeyPinned: unpinnedEndpoints(args.connection).length === 0,
        hostKeys: acceptedKeys(args.connection),
        insecureSkipHostKey: args.insecureSkipHostKey,
        adopt: args.adopt,
        confirm: args.confirm,
        waive: args.waive,
        units: mapped(pulumi.unsecret(definitions), (all) =>
          all.flatMap(({ units }) => units.map((unit) => unit.name)).sort(),
        ),
      },
      opts,
    );
    const valid = built(own, (plain) => reported(this, name, () => validArguments(hostSchema, plain)));
    // The address of a machine that does not exist yet is unknown in a preview; its units are not.
    const { systemd, olderSystemd, externalUnits } = own;
    const inventory = built({ systemd, olderSystemd, externalUnits }, (plain) =>
      reported(this, name, () => validArguments(inventorySchema, plain)),
    );
    const connection = outputOf(fieldOf(valid, "connection"));
    const lastSystemd = Promise.all([knownValue(connection), previousCommand(this, name)]).then(
      ([now, previous]) => now && reportedSystemd(now, previous),
    );
    const fitting = outputOf(joined([definitions, inventory, pulumi.output(lastSystemd)])).apply(([all, known, last]) =>
      reported(this, name, () => checkedDefinitions(this, name, all, known, last)),
    );
    fitting.apply(({ omitted }) => {
      for (const line of omitted) void pulumi.log.warn(`${name}: left out, its systemd is too old: ${line}`, this);
    });
    const bounds = mapped(valid, ({ transactionSec = 900, waitSec = 300, confirm, confirmSec = 60 }) => ({
      transactionSec,
      waitSec,
      confirmSec: confirm === true ? confirmSec : 0,
    }));
    const scope = reported(this, name, () => hostScope(name));
    const stdout = hostCommands(this, name, {
      connection,
      stdin: pulumi.secret(
        outputOf(joined([fitting, bounds, valid])).apply(([fit, limits, { adopt, keepGenerations, connection }]) =>
          reported(this, name, () =>
            sentInput(hostBundle(scope, fit.definitions, limits, { adopt, keepGenerations }), connection.sudoPassword),
          ),
        ),
      ),
      uploads: pulumi.unsecret(definitions).apply((all) => releaseUploads(all)),
      scope,
      verify: outputOf(fieldOf(valid, "verify")),
      isBehindBastion: args.connection.proxy !== undefined,
      onError: args.confirm === undefined ? [] : [confirmationHandler(this, name)],
    });
    this.receipt = pulumi.unsecret(stdout).apply((text) => reported(this, name, () => receiptOf(this, name, text)));
    this.registerOutputs({ receipt: unlessFailed(this.receipt) });
  }
}

/**
 * `project/stack/host`: whose files these are on the machine.
 * @throws Error naming the part that cannot be one
 */
function hostScope(name: string): string {
  const parts = { project: pulumi.getProject(), stack: pulumi.getStack(), host: name };
  for (const [kind, part] of Object.entries(parts)) {
    const problem = scopePartProblem(kind, part);
    if (problem !== undefined) throw new Error(problem);
  }
  return Object.values(parts).join("/");
}

/** Definitions that fit the host, and have nothing across units that systemd would refuse. @throws Error with all reasons */
function checkedDefinitions(
  host: Host,
  name: string,
  definitions: readonly Definition[],
  { systemd: stated, olderSystemd, externalUnits }: Inventory,
  lastSystemd: number | undefined,
): FittingDefinitions {
  // What is left out of a unit must not hang on what a host said at some time: that wants a stated version.
  const systemd = stated ?? (olderSystemd === "omit" ? undefined : lastSystemd);
  const fitting = fittingDefinitions(name, definitions, systemd, olderSystemd);
  const { errors, warnings } = hostVerdict(fitting.definitions, { systemd, externalUnits });
  if (errors.length > 0) throw new Error(errors.join("; "));
  warnOnce(warnings, host);
  return fitting;
}

function receiptOf(host: Host, name: string, text: string): HostReceipt {
  const receipt = receiptSchema.parse(JSON.parse(text));
  for (const warning of receipt.warnings) void pulumi.log.warn(`${name}: ${warning}`, host);
  return hostReceipt(receipt);
}
