import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { argumentProblems, withoutStack } from "../components/argument-error.ts";
import { hostName, unitName } from "../components/argument-schema.ts";
import { healthCheckSchema } from "../components/health-check.ts";
import { hostLimitsShape } from "../components/host.ts";
import { hostConnectionSchema, hostKeyProblems } from "../components/host-connection.ts";
import { notifierSchema } from "../components/notifier.ts";
import { pythonServiceSchema, serviceSchema } from "../components/service-args.ts";
import { socketUnitSchema } from "../components/socket-unit.ts";
import { timerSchema } from "../components/timer-args.ts";
import { unitSchema } from "../components/unit.ts";
import { isPlaceOfSecret, misplacedSecrets, secretArguments } from "./secret-places.ts";

/** A key in a file of this machine, in place of its text. */
const keyFile = { privateKeyFile: z.string().min(1).optional() };
const connectionWithFiles = hostConnectionSchema.extend({
  ...keyFile,
  proxy: hostConnectionSchema.shape.proxy.unwrap().extend(keyFile).optional(),
});

const host = z
  .strictObject({
    /** Address and credentials of a host of your own. */
    connection: connectionWithFiles.optional(),
    /** Name of a throw-away host of `npm run host`, in place of `connection`. */
    sandbox: z.string().min(1).optional(),
    /** File names of the units that it gets. Default: all of the stack. */
    units: z.array(unitName).optional(),
    insecureSkipHostKey: z.string().min(1).optional(),
    ...hostLimitsShape,
  })
  .superRefine(({ connection, sandbox }, context) => {
    if ((connection === undefined) === (sandbox === undefined)) {
      context.addIssue({
        code: "custom",
        message: "needs exactly one of `connection` (a host of yours) and `sandbox`",
      });
    }
    for (const problem of connection === undefined ? [] : hostKeyProblems(connection)) {
      context.addIssue({ code: "custom", ...problem });
    }
    for (const [path, endpoint] of [
      [["connection"], connection],
      [["connection", "proxy"], connection?.proxy],
    ] as const) {
      if (endpoint?.privateKey === undefined || endpoint.privateKeyFile === undefined) continue;
      const message = "is given together with privateKey; keep one";
      context.addIssue({ code: "custom", path: [...path, "privateKeyFile"], message });
    }
  });

/** The whole config of a stack under the project's name: what runs, and where. */
export const stackSchema = z.strictObject({
  hosts: z.record(hostName, host),
  services: z.record(z.string(), serviceSchema).default({}),
  pythonServices: z.record(z.string(), pythonServiceSchema).default({}),
  timers: z
    .record(
      z.string(),
      timerSchema.safeExtend({
        service: serviceSchema.optional(),
        pythonService: pythonServiceSchema.optional(),
      }),
    )
    .default({}),
  sockets: z.record(z.string(), socketUnitSchema).default({}),
  healthChecks: z.record(z.string(), healthCheckSchema).default({}),
  notifiers: z.record(z.string(), notifierSchema).default({}),
  units: z.record(z.string(), unitSchema).default({}),
});

export type StackConfig = z.infer<typeof stackSchema>;

/**
 * Config keys in which Pulumi found a secret, `project:services`. Of a value with many parts it tells no more than the key.
 * @param variable what Pulumi's language host hands to the program
 */
export function secretConfigKeys(variable = process.env.PULUMI_CONFIG_SECRET_KEYS): string[] {
  return variable ? z.array(z.string()).parse(JSON.parse(variable)) : [];
}

/**
 * The config of the stack's own project, checked.
 * @param project the project's name, the prefix of its config keys
 * @param all every config value of the stack as Pulumi hands it over: text or JSON
 * @param secretKeys those of them that hold a secret
 * @param configFile text of the stack's config file, which tells where in a key a secret stands
 * @throws pulumi.RunError with one line for each mistake, each with its path in the YAML; values of secrets are not shown
 */
export function stackConfig(
  project: string,
  all: Readonly<Record<string, string>>,
  secretKeys: readonly string[] = [],
  configFile = "",
): StackConfig {
  const own = Object.entries(all)
    .filter(([key]) => key.startsWith(`${project}:`))
    .map(([key, text]) => [key.slice(project.length + 1), jsonOr(text)] as const);
  const parsed = stackSchema.safeParse(Object.fromEntries(own));
  const misplaced = [
    ...own
      .filter(([key, value]) => secretKeys.includes(`${project}:${key}`) && !mayHoldSecret(value))
      .map(([key]) => key),
    ...misplacedSecrets(configFile, project).map((path) => path.slice(project.length + 1)),
  ].map((path) => `${path}: ${secretPlaces}`);
  if (parsed.success && misplaced.length === 0) return parsed.data;
  const problems = [...(parsed.error ? argumentProblems(parsed.error) : []), ...misplaced].map(
    (problem) => `  ${project}:${problem}`,
  );
  throw runError(`the stack's config has ${problems.length === 1 ? "a mistake" : "mistakes"}:\n${problems.join("\n")}`);
}

const secretPlaces =
  "holds a secret where none can be kept: every user of a host can read its units; a secret goes into `secretEnvironment` or `credentials` of a service or into the credentials of a `connection` or notifier";

/** Whether a secret in this value can be in one of the places that keep it. */
function mayHoldSecret(value: unknown, path: readonly string[] = []): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(
    ([key, part]) =>
      secretArguments.includes(key) || isPlaceOfSecret([...path, key]) || mayHoldSecret(part, [...path, key]),
  );
}

/** An error of the whole stack, printed without a stack trace. */
export function runError(message: string): pulumi.RunError {
  return withoutStack(new pulumi.RunError(message));
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
