import { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { asksTheSame, hostCommand, openedHostInput } from "../activation/host-command.ts";
import { hostProgram } from "../activation/host-program.ts";
import { lackingAll, lackingLines } from "../activation/lacking.ts";
import { rotatedSecrets } from "../activation/rotated-secrets.ts";
import { programName, uploadName, uploadsOf } from "../activation/uploads.ts";
import { toldByEngine } from "./failed-update.ts";
import type { Upload } from "./host-bundle.ts";
import { retriedBy } from "./host-confirmation.ts";
import type { HostConnectionPlain } from "./host-connection.ts";
import { dialErrorLimit, sshConnection } from "./host-connection.ts";
import { driftNote } from "./host-drift.ts";
import { lostProgramHandler } from "./host-lost-program.ts";
import { redialHandler } from "./host-redial.ts";
import { appliedBefore, applyLine, connectionNow } from "./host-transport.ts";
import { HostVerify } from "./host-verify.ts";
import { knownValue } from "./output-value.ts";
import { childUrn, previousOutputsOf, previousOutputsOfItself } from "./previous-state.ts";

/** What is sent to a machine, and how. */
export interface HostWork {
  readonly connection: pulumi.Output<HostConnectionPlain>;
  /** Standard input of the transaction. */
  readonly stdin: pulumi.Output<string>;
  /** Archives that travel before it. */
  readonly uploads: pulumi.Output<Upload[]>;
  /** `project/stack/host`: what is sent has its name from it. */
  readonly scope: string;
  /** When an update asks the machine although its program has not changed. */
  readonly verify: pulumi.Output<HostVerify | undefined>;
  /** Whether the machine is behind a bastion. */
  readonly isBehindBastion: boolean;
  /** Called when the transaction has failed: whether it is to be asked once more. */
  readonly onError: readonly pulumi.ErrorHookFunction[];
}

/** Outputs of a Host's transaction after the last update; undefined for none. Never an input of the Host: see `hostCommands`. */
export function previousCommand(host: pulumi.Resource, name: string): Promise<unknown> {
  return previousOutputsOf(host, "command:remote:Command", name);
}

/**
 * Registers what brings a Host's machine to its state: the host program, archives of code, and the transaction. Each is one
 * connection, one after the other; the program and an archive travel once. In the input of the transaction the program would
 * be in a stack's state twice for each host, and a run of the engine writes the whole state many times.
 * @returns standard output of the transaction
 */
export function hostCommands(host: pulumi.Resource, name: string, work: HostWork): pulumi.Output<string> {
  const redial = work.isBehindBastion ? [redialHandler(work.connection.apply(dialErrorLimit))] : [];
  const parent = { parent: host };
  const fixed = { addPreviousOutputInEnv: false, logging: remote.Logging.Stderr };
  // Promises: an input that depended on the Host would wait for all its children, and so for itself.
  const previous = previousCommand(host, name);
  const reason = verifyReason(host, name, work, previous);
  const input = knownValue(work.stdin);
  const connection = pulumi.secret(
    pulumi.all([work.connection, previous]).apply(([given, before]) => connectionNow(given, before)),
  );
  const create = Promise.all([
    knownValue(work.connection),
    input,
    previous,
    reason,
    previousOutputsOfItself(host),
  ]).then(([given, stdin, before, why, outputs]) => {
    const last = appliedBefore(before)?.stdin;
    tellRotated(host, name, last, stdin);
    // A Host whose update fails registers no receipt.
    if (outputs !== undefined && !("receipt" in outputs)) tellLacking(host, name, last, stdin);
    return applyLine(given, stdin, before, why);
  });
  // Another machine has nothing yet: it is known by its key, or by its address.
  const machine = pulumi.unsecret(connection).apply(({ hostKey, host: address }) => hostKey ?? address);
  const copied = (name: string, path: string, remotePath: string, before: readonly Promise<pulumi.Resource>[]) => {
    const args = { connection, source: new pulumi.asset.FileAsset(path), remotePath, triggers: [machine] };
    // One connection to a host at a time.
    const options = { ...parent, dependsOn: [...before], ...retriedBy(name, redial) };
    return settled(host, "command:remote:CopyToRemote", name, new remote.CopyToRemote(name, args, options));
  };
  const { path, programSha256 } = hostProgram();
  const program = copied(`${name}:program`, path, programName(work.scope, programSha256), []);
  const uploads = work.uploads.apply((all) => {
    const made = [program];
    if (all.length > 0) {
      // The host program takes what was uploaded. Where the first update fails and no other comes, this takes it away.
      const leftovers = { ...fixed, connection, delete: `sh -c 'rm -f -- ${uploadsOf(work.scope)}'` };
      const last = `${name}-uploads`;
      made.push(settled(host, "command:remote:Command", last, new remote.Command(last, leftovers, parent)));
    }
    for (const { name: upload, archive, sha256 } of all) {
      made.push(copied(`${name}-${upload}`, archive, uploadName(work.scope, sha256), made));
    }
    return Promise.all(made);
  });
  const sent: Promise<pulumi.Resource[]> = knownValue(uploads).then(async (all) => all ?? [await program]);
  const command = new remote.Command(
    name,
    {
      ...fixed,
      connection,
      // An update runs it too; without it an update runs nothing. Undefined leaves it out.
      create: pulumi.output(create) as pulumi.Output<string>,
      delete: hostCommand("destroy"),
      stdin: work.stdin,
    },
    // Made anew before the old one goes, the host would be applied and then destroyed.
    {
      ...parent,
      dependsOn: sent,
      deleteBeforeReplace: true,
      ...retriedBy(name, [...redial, lostProgramHandler(host, name, work.scope, work.connection), ...work.onError]),
    },
  );
  return toldByEngine(command).stdout;
}

/**
 * A child of the Host as something that others wait for, which the engine leaves out when the child has failed. Given the
 * child itself, the SDK would tell the failure once more for each of them, with a stack trace.
 */
async function settled(
  host: pulumi.Resource,
  type: string,
  name: string,
  child: pulumi.Resource,
): Promise<pulumi.Resource> {
  const parent = knownValue(host.urn);
  const urn = await knownValue(toldByEngine(child).urn).catch(() => undefined);
  return new pulumi.DependencyResource(urn ?? childUrn((await parent) ?? "", type, name));
}

/** Says which secrets of the machine are set anew: of its whole input a preview shows only that it is another. */
function tellRotated(host: pulumi.Resource, name: string, before: string | undefined, after: string | undefined): void {
  if (before === undefined || after === undefined) return;
  for (const path of rotatedSecrets(before, after)) void pulumi.log.info(`${name}: ${path}: secret rotated`, host);
}

/**
 * Says what the machine lacks since an update failed: the stack's state has the units of that update already, so a preview
 * shows no change of them.
 */
function tellLacking(host: pulumi.Resource, name: string, before: string | undefined, after: string | undefined): void {
  if (after === undefined) return;
  if (before === undefined) {
    const all = lackingAll(after).join(", ");
    if (all !== "") void pulumi.log.warn(`${name}: no update of it has succeeded yet; it lacks all of: ${all}`, host);
    return;
  }
  const lines = lackingLines(before, after);
  if (lines.length === 0) return;
  const listed = lines.map((line) => `\n  ${line}`).join("");
  void pulumi.log.warn(`${name}: its last update failed or was broken off; what it lacks since then:${listed}`, host);
}

/** Why the machine is asked in this update although nothing has changed; undefined for no reason. */
async function verifyReason(
  host: pulumi.Resource,
  name: string,
  { verify, connection, stdin }: HostWork,
  previous: Promise<unknown>,
): Promise<string | undefined> {
  const mode = await knownValue(verify);
  const now = new Date().toISOString();
  if (mode === HostVerify.Always) return `verified at every update: ${now}`;
  if (mode !== HostVerify.Drift) return undefined;
  const [given, input, before] = await Promise.all([knownValue(connection), knownValue(stdin), previous]);
  // A machine that is still to be made, or was never deployed to, has not drifted.
  const last = appliedBefore(before);
  if (given === undefined || input === undefined || last === undefined) return undefined;
  const isSame = asksTheSame(last.stdin, input);
  const drift = await driftNote(host, name, sshConnection(given), openedHostInput(input).bundle, isSame);
  return drift && `${drift} (seen ${now})`;
}
