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
