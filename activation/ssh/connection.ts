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
  /** Public keys of which the server must show one, as in known_hosts without names: `ssh-ed25519 AAAA...`. */
  hostKey: z.string().optional(),
});

/** One server on the way to a host, and how to log in there. Holds secrets. */
export type SshEndpoint = z.infer<typeof endpointSchema>;

/** How a host is reached, as a Host hands it to the command provider. */
export const sshConnectionSchema = endpointSchema.extend({
  /** Path of the SSH agent's socket. Default: `SSH_AUTH_SOCK`. */
  agentSocketPath: z.string().optional(),
  dialErrorLimit: z.number().int().min(1),
  /** Seconds for one dial. */
  perDialTimeout: z.number().int().min(1),
  /** A bastion to go through. */
  proxy: endpointSchema
    .extend({ dialErrorLimit: z.number().int().min(1), perDialTimeout: z.number().int().min(1) })
    .optional(),
});

/** How one host is reached over SSH. Holds secrets. */
export type SshConnection = z.infer<typeof sshConnectionSchema>;
