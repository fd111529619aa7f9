import { z } from "zod";

const endpointSchema = z.strictObject({
  /** Name or address. */
  host: z.string().min(1),
  port: z.number().int().min(1).max(65_535),
  /** Login user. */
  user: z.string().min(1),
  password: z.string().optional(),
  /** Text of a private key. */
  privateKey: z.string().optional(),
  /** Passphrase of the private key. */
  privateKeyPassword: z.string().optional(),
  /** Public keys of which the server must show one: `ssh-ed25519 AAAA...`. Undefined: it is not checked. */
  hostKeys: z.array(z.string()).optional(),
});

/** One server on the way to a host, and how to log in there. Holds secrets. */
export type SshEndpoint = z.infer<typeof endpointSchema>;

/** Parts of an endpoint of which some may not be given. */
type EndpointParts = Pick<SshEndpoint, "host" | "port" | "user"> & {
  [K in Exclude<keyof SshEndpoint, "host" | "port" | "user">]: SshEndpoint[K] | undefined;
};

/** An endpoint that leaves out what is not given. */
export function sshEndpoint(parts: EndpointParts): SshEndpoint {
  const { host, port, user, password, privateKey, privateKeyPassword, hostKeys } = parts;
  return {
    host,
    port,
    user,
    ...(password === undefined ? {} : { password }),
    ...(privateKey === undefined ? {} : { privateKey }),
    ...(privateKeyPassword === undefined ? {} : { privateKeyPassword }),
    ...(hostKeys === undefined ? {} : { hostKeys }),
  };
}

/** How a host is reached. */
export const sshConnectionSchema = endpointSchema.extend({
  /** Path of the SSH agent's socket; an empty one is no agent. Default: `SSH_AUTH_SOCK`. */
  agentSocketPath: z.string().optional(),
  /** Seconds for one dial: from the first packet to the login. */
  dialSec: z.number().min(1),
  /** Password with which the login user becomes root by sudo. Undefined: sudo asks for none, or the user is root. */
  sudoPassword: z.string().optional(),
  /** A bastion to go through. */
  bastion: endpointSchema.optional(),
});

/** How one host is reached over SSH. Holds secrets. */
export type SshConnection = z.infer<typeof sshConnectionSchema>;
