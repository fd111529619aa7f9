import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { type SshConnection, type SshEndpoint, sshEndpoint } from "../activation/ssh/connection.ts";
import { acceptedHostKeys, HostKeyError } from "../activation/ssh/host-key.ts";
import { checked, secretMark } from "./argument-schema.ts";
import { built, type Deferrable } from "./deferred.ts";

/** A bastion: the one host through which another is reached. */
export interface HostProxyArgs {
  /** Address of the bastion. */
  host: pulumi.Input<string>;
  /** Port of its SSH server. Default: 22. */
  port?: pulumi.Input<number>;
  /** Login user. Default: `root`. */
  user?: pulumi.Input<string>;
  /** Password of the login user; a secret. Default: none. */
  password?: pulumi.Input<string>;
  /** Text of a private key; a secret. Default: none. */
  privateKey?: pulumi.Input<string>;
  /** Passphrase of the private key; a secret. Default: none. */
  privateKeyPassword?: pulumi.Input<string>;
  /**
   * Public key of the bastion, `ssh-ed25519 AAAA...`, or lines of a known_hosts file, also hashed ones. It or `hostKeys` is
   * required, but for `insecureSkipHostKey`.
   */
  hostKey?: pulumi.Input<string>;
  /** Several of them, of which the bastion has one: the old and the new while a key is changed. Default: none. */
  hostKeys?: pulumi.Input<pulumi.Input<string>[]>;
}

/** How a host is reached over SSH. */
export interface HostConnectionArgs {
  /** Address of the host. */
  host: pulumi.Input<string>;
  /** Port of its SSH server. Default: 22. */
  port?: pulumi.Input<number>;
  /** Login user: root, or one that may become root by sudo. Default: `root`. */
  user?: pulumi.Input<string>;
  /** Password of the login user; a secret. Default: none. */
  password?: pulumi.Input<string>;
  /** Password that sudo asks the login user for; a secret. It travels on standard input. Default: sudo asks for none. */
  sudoPassword?: pulumi.Input<string>;
  /** Text of a private key; a secret. Default: none. */
  privateKey?: pulumi.Input<string>;
  /** Passphrase of the private key; a secret. Default: none. */
  privateKeyPassword?: pulumi.Input<string>;
  /** Path of the SSH agent's socket. Default: `SSH_AUTH_SOCK`. */
  agentSocketPath?: pulumi.Input<string>;
  /**
   * Public key of the host, `ssh-ed25519 AAAA...`, or lines of a known_hosts file, also hashed ones. It or `hostKeys` is
   * required, but for `insecureSkipHostKey`.
   */
  hostKey?: pulumi.Input<string>;
  /** Several of them, of which the host has one: the old and the new while a key is changed. Default: none. */
  hostKeys?: pulumi.Input<pulumi.Input<string>[]>;
  /** Dials that may fail, and are tried again, before the update does. Default: 10. */
  dialErrorLimit?: pulumi.Input<number>;
  /** Seconds for one dial. Default: 10. */
  perDialTimeout?: pulumi.Input<number>;
  /** A bastion to go through. Default: none. */
  proxy?: HostProxyArgs;
}

/** Why a text is no address: ssh takes some of these, the connection has fields of their own for them. */
function addressProblem(text: string): string | undefined {
  if (text === "") return "is empty; give the host's address";
  if (secretMark.test(text)) return undefined;
  const shown = JSON.stringify(text);
  if (/\s/.test(text)) return `${shown} holds a blank; give the address alone`;
  if (text.includes("@")) return "holds a login user; give the address alone, and the user as `user`";
  if (/[[\]]/.test(text)) {
    return `${shown} holds brackets; give an IPv6 address without them, such as 2001:db8::1, and a port as \`port\``;
  }
  if (/^[^:]*:[^:]*$/.test(text)) return `${shown} holds a port; give the address alone, and the port as \`port\``;
  return undefined;
}

const endpointShape = {
  host: checked(addressProblem),
  port: z.number().int().min(1).max(65535).optional(),
  user: z.string().min(1).optional(),
  password: z.string().optional(),
  privateKey: z.string().optional(),
  privateKeyPassword: z.string().optional(),
  hostKey: z.string().optional(),
  hostKeys: z.array(z.string()).optional(),
};

/** `HostConnectionArgs` after all Outputs are known. */
export const hostConnectionSchema = z.strictObject({
  ...endpointShape,
  sudoPassword: z
    .string()
    .regex(/^[^\n\0]*$/, "holds a line break, which no password for sudo can have")
    .optional(),
  agentSocketPath: z.string().optional(),
  dialErrorLimit: z.number().int().min(1).optional(),
  perDialTimeout: z.number().int().min(1).optional(),
  proxy: z.strictObject(endpointShape).optional(),
});

export type HostConnectionPlain = z.infer<typeof hostConnectionSchema>;

interface Pinned {
  hostKey?: unknown;
  hostKeys?: unknown;
}

/** The paths of host keys that are not given: of the host, its bastion, both or none. */
export function unpinnedEndpoints(connection: Pinned & { proxy?: Pinned | undefined }): string[] {
  const isPinned = ({ hostKey, hostKeys }: Pinned) => hostKey !== undefined || hostKeys !== undefined;
  return [
    ...(isPinned(connection) ? [] : ["connection.hostKey"]),
    ...(connection.proxy === undefined || isPinned(connection.proxy) ? [] : ["connection.proxy.hostKey"]),
  ];
}

/** What is wrong with the host keys of a connection: path and reason of each. */
export function hostKeyProblems({ proxy, ...own }: HostConnectionPlain): { path: string[]; message: string }[] {
  return [
    { path: ["connection"], endpoint: own },
    ...(proxy === undefined ? [] : [{ path: ["connection", "proxy"], endpoint: proxy }]),
  ].flatMap(({ path, endpoint }) => {
    try {
      pinnedKeys(endpoint);
      return [];
    } catch (error) {
      if (!(error instanceof HostKeyError)) throw error;
      const field = endpoint.hostKey === undefined ? "hostKeys" : "hostKey";
      return [{ path: [...path, field], message: error.message }];
    }
  });
}

/** The keys that are accepted of a host, for those who log in beside Pulumi; undefined for none, and for bad ones. */
export function acceptedKeys({ host, port, hostKey, hostKeys }: HostConnectionArgs): Deferrable<string[] | undefined> {
  return built({ host, port, hostKey, hostKeys }, (plain) => {
    const { data } = z.object(endpointShape).safeParse(plain);
    try {
      return data && pinnedKeys(data);
    } catch (error) {
      if (error instanceof HostKeyError) return undefined;
      throw error;
    }
  });
}

/** Keys that are accepted of an endpoint, the best type first; undefined when none is pinned. */
function pinnedKeys({ host, port = 22, hostKey, hostKeys }: Endpoint): string[] | undefined {
  if (hostKey === undefined && hostKeys === undefined) return undefined;
  return acceptedHostKeys([...(hostKey === undefined ? [] : [hostKey]), ...(hostKeys ?? [])].join("\n"), host, port);
}

/** How a host is reached, with every default. */
export function sshConnection(connection: HostConnectionPlain): SshConnection {
  const { proxy, dialErrorLimit: _tries, perDialTimeout = 10, agentSocketPath, sudoPassword, ...own } = connection;
  return {
    ...endpoint(own),
    dialSec: perDialTimeout,
    ...(agentSocketPath === undefined ? {} : { agentSocketPath }),
    ...(sudoPassword === undefined ? {} : { sudoPassword }),
    ...(proxy === undefined ? {} : { bastion: endpoint(proxy) }),
  };
}

/** A connection as the command provider takes it: one host key for each endpoint, bounded dials. Holds secrets. */
export interface ProviderConnection extends ProviderEndpoint {
  dialErrorLimit: number;
  perDialTimeout: number;
  agentSocketPath?: string;
  proxy?: ProviderEndpoint & { dialErrorLimit: number; perDialTimeout: number };
}

interface ProviderEndpoint {
  host: string;
  port: number;
  user: string;
  hostKey?: string;
  password?: string;
  privateKey?: string;
  privateKeyPassword?: string;
}

/** Dials that may fail before the update does. */
export function dialErrorLimit({ dialErrorLimit: given = 10 }: HostConnectionPlain): number {
  return given;
}

/**
 * @param shown the keys that host and bastion showed last; where it is one of the accepted it is taken, else the best type
 */
export function providerConnection(
  connection: HostConnectionPlain,
  shown: { hostKey?: string | undefined; proxy?: { hostKey?: string | undefined } | undefined } = {},
): ProviderConnection {
  const { perDialTimeout = 10 } = connection;
  const { bastion, agentSocketPath, sudoPassword: _sent, dialSec: _same, ...own } = sshConnection(connection);
  const bounds = { dialErrorLimit: dialErrorLimit(connection), perDialTimeout };
  return {
    ...providerEndpoint(own, shown.hostKey),
    perDialTimeout,
    // A dial that failed behind a bastion is not tried again over the same connection: see `redialHandler`.
    dialErrorLimit: bastion === undefined ? bounds.dialErrorLimit : 0,
    ...(agentSocketPath === undefined ? {} : { agentSocketPath }),
    ...(bastion === undefined ? {} : { proxy: { ...providerEndpoint(bastion, shown.proxy?.hostKey), ...bounds } }),
  };
}

function providerEndpoint(given: SshEndpoint, shown: string | undefined): ProviderEndpoint {
  const { host, port, user, hostKeys, password, privateKey, privateKeyPassword } = given;
  const hostKey = hostKeys?.find((key) => key === shown) ?? hostKeys?.[0];
  return {
    host,
    port,
    user,
    ...(hostKey === undefined ? {} : { hostKey }),
    ...(password === undefined ? {} : { password }),
    ...(privateKey === undefined ? {} : { privateKey }),
    ...(privateKeyPassword === undefined ? {} : { privateKeyPassword }),
  };
}

type Endpoint = z.infer<z.ZodObject<typeof endpointShape>>;

function endpoint(given: Endpoint): SshEndpoint {
  const { host, port = 22, user = "root", password, privateKey, privateKeyPassword } = given;
  return sshEndpoint({ host, port, user, password, privateKey, privateKeyPassword, hostKeys: pinnedKeys(given) });
}
