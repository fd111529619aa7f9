import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../setup/cache.ts";

/** How to reach a sandbox host by SSH. */
export interface SandboxConnection {
  /** Its IPv4 address. */
  host: string;
  port: number;
  /** A user who may use sudo without a password. */
  user: string;
  /** The file of that user's private key, in OpenSSH's format. */
  privateKeyFile: string;
  /** The host's public key to pin, as in known_hosts: `ssh-ed25519 AAAA...`. */
  hostKey: string;
}

/** The folder that keeps what belongs to the sandbox host `name`. */
export function hostFolder(name: string): string {
  return join(cacheFolder(), "hosts", name);
}

/**
 * How to reach the sandbox host `name`, as `npm run host -- up` left it.
 *
 * @throws Error that tells the command to run when that host is not up.
 */
export function sandboxConnection(name: string): SandboxConnection {
  const file = join(hostFolder(name), "connection.json");
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    throw new Error(`sandbox host "${name}" is not up: run \`npm run host -- up ${name}\``);
  }
  return parsedConnection(JSON.parse(text), file);
}

function parsedConnection(value: unknown, file: string): SandboxConnection {
  if (typeof value === "object" && value !== null) {
    const { host, port, user, privateKeyFile, hostKey } = { ...value } as Record<string, unknown>;
    if (
      typeof host === "string" &&
      typeof port === "number" &&
      typeof user === "string" &&
      typeof privateKeyFile === "string" &&
      typeof hostKey === "string"
    ) {
      return { host, port, user, privateKeyFile, hostKey };
    }
  }
  throw new Error(`${file} does not hold a connection: take the host down and up again`);
}
