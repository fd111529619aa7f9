import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { argumentProblems } from "../components/argument-error.ts";
import { unitName } from "../components/argument-schema.ts";
import { healthCheckSchema } from "../components/health-check.ts";
import { hostLimitsShape } from "../components/host.ts";
import { hostConnectionSchema } from "../components/host-connection.ts";
import { pythonServiceSchema, serviceSchema } from "../components/service-args.ts";
import { socketUnitSchema } from "../components/socket-unit.ts";
import { timerSchema } from "../components/timer.ts";
import { unitSchema } from "../components/unit.ts";

const host = z
  .strictObject({
    /** Address and credentials of a host of your own. */
    connection: hostConnectionSchema.extend({ privateKeyFile: z.string().min(1).optional() }).optional(),
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
    if (connection?.privateKey !== undefined && connection.privateKeyFile !== undefined) {
      context.addIssue({
        code: "custom",
        path: ["connection", "privateKeyFile"],
        message: "is given together with privateKey; keep one",
      });
    }
  });

/** The whole config of a stack under the project's name: what runs, and where. */
export const stackSchema = z.strictObject({
  hosts: z.record(z.string(), host),
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
  units: z.record(z.string(), unitSchema).default({}),
});

export type StackConfig = z.infer<typeof stackSchema>;

/**
 * The config of the stack's own project, checked.
 * @param project the project's name, the prefix of its config keys
 * @param all every config value of the stack as Pulumi hands it over: text or JSON
 * @throws pulumi.RunError with one line for each mistake, each with its path in the YAML; values of secrets are not shown
 */
export function stackConfig(project: string, all: Readonly<Record<string, string>>): StackConfig {
  const own = Object.entries(all)
    .filter(([key]) => key.startsWith(`${project}:`))
    .map(([key, text]) => [key.slice(project.length + 1), jsonOr(text)] as const);
  const parsed = stackSchema.safeParse(Object.fromEntries(own));
  if (parsed.success) return parsed.data;
  const problems = argumentProblems(parsed.error).map((problem) => `  ${project}:${problem}`);
  throw new pulumi.RunError(
    `the stack's config has ${problems.length === 1 ? "a mistake" : "mistakes"}:\n${problems.join("\n")}`,
  );
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
