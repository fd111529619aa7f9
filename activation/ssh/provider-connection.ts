import { z } from "zod";
import { type SshConnection, sshEndpoint } from "./connection.ts";

const endpointSchema = z.looseObject({
  host: z.string().min(1),
  port: z.number().default(22),
  user: z.string().default("root"),
  password: z.string().optional(),
  privateKey: z.string().optional(),
  privateKeyPassword: z.string().optional(),
  hostKey: z.string().optional(),
});

const connectionSchema = endpointSchema.extend({
  agentSocketPath: z.string().optional(),
  perDialTimeout: z.number().default(15),
  proxy: endpointSchema.optional(),
});

/**
 * How a host is reached, from the `connection` of a resource of `@pulumi/command`.
 * @throws ZodError when it is not such a connection
 */
export function sshConnectionOf(connection: unknown): SshConnection {
  const { proxy, perDialTimeout, agentSocketPath, ...own } = connectionSchema.parse(connection);
  return {
    ...endpoint(own),
    dialSec: perDialTimeout,
    ...(agentSocketPath === undefined ? {} : { agentSocketPath }),
    ...(proxy === undefined ? {} : { bastion: endpoint(proxy) }),
  };
}

function endpoint(given: z.output<typeof endpointSchema>) {
  const { host, port, user, password, privateKey, privateKeyPassword, hostKey } = given;
  // A comment may follow the key.
  const hostKeys = hostKey === undefined ? undefined : [hostKey.split(" ").slice(0, 2).join(" ")];
  return sshEndpoint({ host, port, user, password, privateKey, privateKeyPassword, hostKeys });
}
