import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";

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
  /** Public key of the bastion, as in known_hosts: `ssh-ed25519 AAAA...`. Required, but for `insecureSkipHostKey`. */
  hostKey?: pulumi.Input<string>;
}

/** How a host is reached over SSH. */
export interface HostConnectionArgs {
  /** Address of the host. */
  host: pulumi.Input<string>;
  /** Port of its SSH server. Default: 22. */
  port?: pulumi.Input<number>;
  /** Login user: root, or one that may run sudo without a password. Default: `root`. */
  user?: pulumi.Input<string>;
  /** Password of the login user; a secret. Default: none. */
  password?: pulumi.Input<string>;
  /** Text of a private key; a secret. Default: none. */
  privateKey?: pulumi.Input<string>;
  /** Passphrase of the private key; a secret. Default: none. */
  privateKeyPassword?: pulumi.Input<string>;
  /** Path of the SSH agent's socket. Default: `SSH_AUTH_SOCK`. */
  agentSocketPath?: pulumi.Input<string>;
  /** Public key of the host, as in known_hosts: `ssh-ed25519 AAAA...`. Required, but for `insecureSkipHostKey`. */
  hostKey?: pulumi.Input<string>;
  /** Dials that may fail before the update does. Default: 5. */
  dialErrorLimit?: pulumi.Input<number>;
  /** Seconds for one dial. Default: 10. */
  perDialTimeout?: pulumi.Input<number>;
  /** A bastion to go through. Default: none. */
  proxy?: HostProxyArgs;
}

const endpointShape = {
  host: z.string().min(1, "is empty; give the host's address"),
  port: z.number().int().min(1).max(65535).optional(),
  user: z.string().min(1).optional(),
  password: z.string().optional(),
  privateKey: z.string().optional(),
  privateKeyPassword: z.string().optional(),
  hostKey: z
    .string()
    .regex(/^(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+=*( .*)?$/, {
      error: ({ input }) =>
        typeof input === "string" && input.startsWith("ssh-rsa ")
          ? "is an ssh-rsa key, which the SSH client here cannot check on a current server; give the host's ed25519 or ecdsa key"
          : "is not a public host key; write it as in known_hosts, without the host's name: `ssh-ed25519 AAAA...`",
    })
    .optional(),
};

/** `HostConnectionArgs` after all Outputs are known. */
export const hostConnectionSchema = z.strictObject({
  ...endpointShape,
  agentSocketPath: z.string().optional(),
  dialErrorLimit: z.number().int().min(1).optional(),
  perDialTimeout: z.number().int().min(1).optional(),
  proxy: z.strictObject(endpointShape).optional(),
});

export type HostConnectionPlain = z.infer<typeof hostConnectionSchema>;

/** The paths of host keys that are not given: of the host, its bastion, both or none. */
export function unpinnedEndpoints(connection: {
  hostKey?: unknown;
  proxy?: { hostKey?: unknown } | undefined;
}): string[] {
  return [
    ...(connection.hostKey === undefined ? ["connection.hostKey"] : []),
    ...(connection.proxy !== undefined && connection.proxy.hostKey === undefined ? ["connection.proxy.hostKey"] : []),
  ];
}

/** The connection as the command provider takes it: known fields only, bounded dials, secrets marked. */
export function providerConnection(connection: HostConnectionPlain) {
  const { proxy, dialErrorLimit = 5, perDialTimeout = 10, agentSocketPath, ...own } = connection;
  return {
    ...endpoint(own),
    dialErrorLimit,
    perDialTimeout,
    ...(agentSocketPath === undefined ? {} : { agentSocketPath }),
    ...(proxy === undefined ? {} : { proxy: { ...endpoint(proxy), dialErrorLimit, perDialTimeout } }),
  };
}

type Endpoint = z.infer<z.ZodObject<typeof endpointShape>>;

function endpoint({ host, port = 22, user = "root", hostKey, password, privateKey, privateKeyPassword }: Endpoint) {
  return {
    host,
    port,
    user,
    ...(hostKey === undefined ? {} : { hostKey }),
    ...(password === undefined ? {} : { password: pulumi.secret(password) }),
    ...(privateKey === undefined ? {} : { privateKey: pulumi.secret(privateKey) }),
    ...(privateKeyPassword === undefined ? {} : { privateKeyPassword: pulumi.secret(privateKeyPassword) }),
  };
}
