import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { installAptPackages } from "../setup/apt.ts";
import { type CommandResult, commandOutput, commandResult, lastLines } from "../setup/command.ts";
import { rootCommand } from "../setup/privileges.ts";
import { processIdentity } from "../setup/process-identity.ts";
import { sandboxPackages, sandboxUnavailableReason } from "./availability.ts";
import { hostFolder, type SandboxConnection } from "./connection.ts";
import { claimed, type HostRecord, isBooted, readRecord, writeRecord } from "./record.ts";
import type { DebianRelease } from "./release.ts";
import { dropFromExit, removeAbandonedHosts, removeAtExit, removeHost, stopCommand } from "./removal.ts";
import { debianRoot, type RootOptions } from "./roots.ts";

/** What sandbox host is wanted. */
export interface SandboxHostOptions extends RootOptions {
  /**
   * Lower-case letters, digits and dashes; also its hostname.
   * @default - a name that no other host has, beginning with the release
   */
  name?: string;
  /**
   * `process`: the host goes when this process ends, in whatever way. `until-down`: it stays until it is taken down.
   * @default "until-down" for a host with a `name`, "process" for one without
   */
  lifetime?: "process" | "until-down";
  /** Told what is being done. @default - nobody is told */
  log?: (line: string) => void;
}

/** How a command is run on a sandbox host. */
export interface HostCommandOptions {
  /** @default "root" for `run` */
  user?: "root" | "deploy";
  stdin?: string | Buffer;
  /** @default 120 */
  timeoutSec?: number;
}

/** A machine that boots real systemd, on this one. */
export interface SandboxHost {
  readonly name: string;
  readonly release: DebianRelease;
  /** Its IPv4 address. */
  readonly address: string;
  readonly port: number;
  readonly user: "deploy";
  readonly privateKeyFile: string;
  /** The key to pin: `ssh-ed25519 AAAA...`. */
  readonly hostKey: string;
  /** The same facts, as the Pulumi program takes them. */
  readonly connection: SandboxConnection;
  /** The pid of its process 1 on this machine; undefined while it is off. */
  readonly leader: number | undefined;
  /** Runs a bash command inside without the network, whatever its exit code. */
  run(command: string, options?: HostCommandOptions): Promise<CommandResult>;
  /** The standard output of a bash command inside that must succeed. */
  output(command: string, options?: HostCommandOptions): Promise<string>;
  /** Runs a command over SSH as `deploy`, as any client would, whatever its exit code. */
  ssh(command: string, options?: Omit<HostCommandOptions, "user">): Promise<CommandResult>;
  /** Writes a file as root; its folders are made. Mode in octal, @default 0o644. */
  writeFile(path: string, content: string | Buffer, mode?: number): Promise<void>;
  /** Cuts the network cable: packets are lost, no connection is reset. */
  cutLink(): Promise<void>;
  restoreLink(): Promise<void>;
  /** Pulls the plug: every process ends at once, nothing is shut down. */
  powerOff(): Promise<void>;
  /** Boots it again after {@link powerOff}, with what was on its disk. */
  boot(): Promise<void>;
  /** Takes it away with all that was on it. */
  down(): Promise<void>;
}

const bootTimeoutSec = 60;

/**
 * Boots a new host and waits until its systemd reports `running` and sshd answers: about a second, when its root is in
 * the cache. Installs what is missing on this machine by apt first.
 *
 * @throws Error when there cannot be one here, when the name is taken, or when it does not boot: with the last lines of
 * its console.
 */
export async function bootedHost(options: SandboxHostOptions): Promise<SandboxHost> {
  const log = options.log ?? (() => {});
  const id = `ps${randomBytes(4).toString("hex")}`;
  const name = options.name ?? `${options.release}-${id.slice(2)}`;
  if (!/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/.test(name)) {
    throw new Error(
      `"${name}" cannot name a sandbox host: use 1 to 32 lower-case letters, digits and dashes, no dash at either end`,
    );
  }
  const unavailable = sandboxUnavailableReason();
  if (unavailable !== undefined) throw new Error(unavailable);
  await installAptPackages(sandboxPackages, "the sandbox hosts", log);
  await removeAbandonedHosts(log);

  const owner = processIdentity(process.pid);
  if (owner === undefined) throw new Error("cannot read the start time of this process");
  const root = await debianRoot(options, log);
  const record: HostRecord = { name, release: options.release, id, root, owner };
  if (!claimed(record))
    throw new Error(`there is a sandbox host "${name}" already: take it down, or choose another name`);
  const abort = removeAtExit(record);
  try {
    await prepare(record, root, abort);
    await start(record, abort);
  } catch (error) {
    await removeHost(record).catch(() => {});
    throw error;
  }
  if ((options.lifetime ?? (options.name === undefined ? "process" : "until-down")) === "until-down") {
    delete record.owner;
    writeRecord(record);
    dropFromExit(record);
  }
  log(`${name} is up: ${options.release}, ${record.address}`);
  return new BootedHost(record);
}

/** The host `name`, when it is up already. */
export function runningHost(name: string): SandboxHost | undefined {
  const record = readRecord(name);
  return record?.hostKey !== undefined && isBooted(record) ? new BootedHost(record) : undefined;
}

async function prepare(record: HostRecord, root: string, signal: AbortSignal): Promise<void> {
  const folder = hostFolder(record.name);
  const keyFile = join(folder, "id_ed25519");
  await commandOutput("ssh-keygen", ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "deploy", "-f", keyFile]);
  const answer = await commandOutput(
    `preparing the sandbox host ${record.name}`,
    rootCommand(["bash", scriptFile("prepare-host.sh"), folder, root, record.id, record.name]),
    { signal, timeoutSec: bootTimeoutSec },
  );
  const [, address, hostKey] = /^(\S+) (ssh-ed25519 \S+)\n$/.exec(answer) ?? [];
  if (address === undefined || hostKey === undefined) throw new Error(`prepare-host.sh answered ${answer}`);
  Object.assign(record, { address, hostKey });
  writeRecord(record);
  const connection: SandboxConnection = {
    host: address,
    port: 22,
    user: "deploy",
    privateKeyFile: keyFile,
    hostKey,
  };
  writeFileSync(join(folder, "connection.json"), `${JSON.stringify(connection, undefined, 2)}\n`);
  writeFileSync(join(folder, "known_hosts"), `${address} ${hostKey}\n`);
}

async function start(record: HostRecord, signal?: AbortSignal): Promise<void> {
  const folder = hostFolder(record.name);
  let answer: string;
  try {
    answer = await commandOutput(
      `booting the sandbox host ${record.name} (${record.release})`,
      rootCommand(["bash", scriptFile("start-host.sh"), folder, record.id, String(bootTimeoutSec)]),
      { timeoutSec: bootTimeoutSec + 10, ...(signal === undefined ? {} : { signal }) },
    );
  } catch (error) {
    const console = readFileSync(join(folder, "console.log"), { encoding: "utf8", flag: "a+" });
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`${message}\nits console's last lines${lastLines(console)}`, { cause: error });
  }
  const [nspawn, leader] = answer
    .trim()
    .split(" ")
    .map((pid) => processIdentity(Number(pid)));
  if (nspawn === undefined || leader === undefined) {
    throw new Error(`the sandbox host ${record.name} ended as soon as it had booted`);
  }
  delete record.poweredOff;
  Object.assign(record, { nspawn, leader });
  writeRecord(record);
  await sshAnswers(record);
}

async function sshAnswers(record: HostRecord): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await sshGreets(record.address!))) {
    if (Date.now() > deadline) throw new Error(`sshd on the sandbox host ${record.name} does not answer`);
    await sleep(50);
  }
}

function sshGreets(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: 22, timeout: 2000 });
    const end = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.once("data", (greeting: Buffer) => end(greeting.toString("latin1").startsWith("SSH-2.0-")));
    socket.once("error", () => end(false));
    socket.once("timeout", () => end(false));
    socket.once("close", () => end(false));
  });
}

function scriptFile(name: string): string {
  return join(import.meta.dirname, "scripts", name);
}

class BootedHost implements SandboxHost {
  readonly name: string;
  readonly release: DebianRelease;
  readonly address: string;
  readonly port = 22;
  readonly user = "deploy";
  readonly privateKeyFile: string;
  readonly hostKey: string;
  readonly connection: SandboxConnection;
  private record: HostRecord;

  constructor(record: HostRecord) {
    this.record = record;
    this.name = record.name;
    this.release = record.release;
    this.address = record.address!;
    this.hostKey = record.hostKey!;
    this.privateKeyFile = join(hostFolder(record.name), "id_ed25519");
    this.connection = {
      host: this.address,
      port: this.port,
      user: this.user,
      privateKeyFile: this.privateKeyFile,
      hostKey: this.hostKey,
    };
  }

  get leader(): number | undefined {
    return isBooted(this.record) ? this.record.leader?.pid : undefined;
  }

  async run(command: string, options: HostCommandOptions = {}): Promise<CommandResult> {
    const leader = this.leader;
    if (leader === undefined) throw new Error(`the sandbox host ${this.name} is off`);
    const home = options.user === "deploy" ? "/home/deploy" : "/root";
    return commandResult(
      rootCommand([
        ...["nsenter", "--target", String(leader), "--all", `--wd=/proc/${leader}/root${home}`],
        ...["env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"],
        ...[`HOME=${home}`, `USER=${options.user ?? "root"}`],
        ...(options.user === "deploy" ? ["runuser", "-u", "deploy", "--"] : []),
        ...["bash", "-c", command],
      ]),
      {
        timeoutSec: options.timeoutSec ?? 120,
        ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
      },
    );
  }

  async output(command: string, options: HostCommandOptions = {}): Promise<string> {
    const result = await this.run(command, options);
    if (result.code !== 0) {
      throw new Error(`${this.name}: \`${command}\` ended with exit code ${result.code}${lastLines(result.stderr)}`);
    }
    return result.stdout;
  }

  async ssh(command: string, options: Omit<HostCommandOptions, "user"> = {}): Promise<CommandResult> {
    return commandResult([...sshCommand(this.connection), command], {
      timeoutSec: options.timeoutSec ?? 120,
      ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
    });
  }

  async writeFile(path: string, content: string | Buffer, mode = 0o644): Promise<void> {
    const quoted = `'${path.replaceAll("'", "'\\''")}'`;
    await this.output(`install -D -m ${mode.toString(8)} /dev/null ${quoted} && cat >${quoted}`, { stdin: content });
  }

  async cutLink(): Promise<void> {
    await this.setLink("down");
  }

  async restoreLink(): Promise<void> {
    await this.setLink("up");
  }

  async powerOff(): Promise<void> {
    this.record.poweredOff = true;
    writeRecord(this.record);
    await commandOutput(`pulling the plug of ${this.name}`, stopCommand(this.record));
    delete this.record.nspawn;
    delete this.record.leader;
    writeRecord(this.record);
  }

  async boot(): Promise<void> {
    if (this.leader !== undefined) throw new Error(`the sandbox host ${this.name} is on already`);
    await start(this.record);
  }

  async down(): Promise<void> {
    await removeHost(this.record);
  }

  private async setLink(state: "up" | "down"): Promise<void> {
    await commandOutput("ip link set", rootCommand(["ip", "link", "set", this.record.id, state]));
  }
}

/** The `ssh` command line, without a command, that reaches a sandbox host with its key pinned. */
export function sshCommand(connection: SandboxConnection, options: readonly string[] = []): string[] {
  const knownHosts = join(connection.privateKeyFile, "..", "known_hosts");
  return [
    ...["ssh", "-F", "none", "-i", connection.privateKeyFile, "-p", String(connection.port)],
    ...["-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=yes"],
    ...["-o", `UserKnownHostsFile="${knownHosts}"`, "-o", "ConnectTimeout=10", "-o", "LogLevel=ERROR"],
    ...options,
    ...[`${connection.user}@${connection.host}`],
  ];
}
