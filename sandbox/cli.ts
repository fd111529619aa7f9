import { spawn } from "node:child_process";
import { constants } from "node:os";
import { parseArgs } from "node:util";
import { sandboxConnection } from "./connection.ts";
import { bootedHost, sshCommand } from "./host.ts";
import { type HostRecord, isBooted, readRecord, readRecords } from "./record.ts";
import { debianReleases, isDebianRelease, systemdVersion } from "./release.ts";
import { removeAbandonedHosts, removeHost } from "./removal.ts";

const help = `Sandbox hosts: machines that boot real systemd on this one, for the demo and the tests.

  npm run host -- up NAME [--release RELEASE]   boot a host (RELEASE: ${debianReleases.join(", ")}; default bookworm)
  npm run host -- list [--json]                 the hosts that are there
  npm run host -- ssh NAME [COMMAND...]         a shell, or one command, on a host
  npm run host -- down NAME... | --all          take hosts away with all that is on them

Each host has its own network link, its own pinned SSH host key, and a user \`deploy\` who may use sudo. A Pulumi program
reaches it by sandboxConnection("NAME"). It needs Linux with apt, and root or sudo.

Examples
  npm run host -- up web1
  npm run host -- up old1 --release bullseye
  npm run host -- ssh web1 systemctl --failed
  npm run host -- down --all
`;

class UsageError extends Error {}

const log = (line: string) => process.stderr.write(`${line}\n`);

async function up(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { release: { type: "string" } } });
  const [name, ...rest] = positionals;
  if (name === undefined || rest.length > 0) throw new UsageError("`up` takes one NAME");
  const release = values.release ?? "bookworm";
  if (!isDebianRelease(release)) {
    throw new UsageError(`--release ${release}: there is ${debianReleases.join(", ")}`);
  }
  await removeAbandonedHosts(log);
  const existing = readRecord(name);
  if (existing !== undefined && isBooted(existing)) {
    if (values.release !== undefined && existing.release !== release) {
      throw new Error(`${name} is up already, as ${existing.release}: take it down first`);
    }
    log(`${name} is up already: ${existing.release}, ${existing.address}`);
    return 0;
  }
  await bootedHost({ name, release, log });
  return 0;
}

async function down(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { all: { type: "boolean" } } });
  const all = values.all === true;
  if (all === positionals.length > 0) throw new UsageError("`down` takes NAME... or --all");
  for (const record of all ? readRecords() : positionals.map(recordOf)) {
    await removeHost(record);
    log(`${record.name} is down`);
  }
  return 0;
}

function list(args: string[]): number {
  const { values } = parseArgs({ args, options: { json: { type: "boolean" } } });
  const hosts = readRecords().map((record) => ({
    name: record.name,
    release: record.release,
    systemd: systemdVersion[record.release],
    state: isBooted(record) ? "up" : record.poweredOff === true ? "off" : record.owner ? "starting" : "gone",
    address: record.address ?? null,
  }));
  if (values.json === true) {
    process.stdout.write(`${JSON.stringify(hosts, undefined, 2)}\n`);
  } else if (hosts.length === 0) {
    log("no sandbox hosts");
  } else {
    for (const { name, release, systemd, state, address } of hosts) {
      process.stdout.write(`${name.padEnd(20)} ${state.padEnd(9)} ${release} (systemd ${systemd})  ${address ?? ""}\n`);
    }
  }
  return 0;
}

function ssh(args: string[]): Promise<number> {
  const [name, ...command] = args;
  if (name === undefined) throw new UsageError("`ssh` takes a NAME");
  const connection = sandboxConnection(name);
  const [program, ...rest] = sshCommand(connection, command.length === 0 ? ["-t"] : []);
  const child = spawn(program!, [...rest, ...command], { stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}

function recordOf(name: string): HostRecord {
  const found = readRecord(name);
  if (found === undefined) throw new Error(`there is no sandbox host "${name}": \`npm run host -- list\` shows all`);
  return found;
}

async function main(args: string[]): Promise<number> {
  const [command, ...rest] = args;
  if (command === undefined || rest.includes("--help") || command === "--help" || command === "help") {
    process.stdout.write(help);
    return command === undefined ? 2 : 0;
  }
  switch (command) {
    case "up":
      return up(rest);
    case "down":
      return down(rest);
    case "list":
      return list(rest);
    case "ssh":
      return ssh(rest);
    default:
      throw new UsageError(`there is no command "${command}"`);
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  const isUsage = error instanceof UsageError || (error instanceof TypeError && "code" in error);
  log(`host: ${message}${isUsage ? "\n`npm run host -- --help` shows how" : ""}`);
  process.exitCode = isUsage ? 2 : 1;
}
