import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";

/**
 * Arguments after their schema.
 * @throws Error naming each field, what is accepted, and what was received
 */
export function validArguments<S extends z.ZodType>(schema: S, args: unknown): z.output<S> {
  const parsed = schema.safeParse(args);
  if (parsed.success) return parsed.data;
  throw new Error(argumentProblems(parsed.error).join("; "));
}

/** Runs a step of a constructor so that what it throws is printed under the resource, without a stack trace. */
export function reported<R>(resource: pulumi.Resource, name: string, step: () => R): R {
  try {
    return step();
  } catch (error) {
    if (pulumi.ResourceError.isInstance(error) || !(error instanceof Error)) throw error;
    throw new pulumi.ResourceError(`${name}: ${error.message}`, resource, true);
  }
}

/** One line for each issue: the path of the field as a person writes it, and the reason. */
export function argumentProblems(error: z.ZodError): string[] {
  return error.issues.flatMap((issue) =>
    issue.code === "invalid_union" && issue.errors.length > 0
      ? [`${fieldPath(issue.path)}: ${issue.errors.map((errors) => errors[0]?.message ?? issue.message).join(", or ")}`]
      : [`${issue.path.length > 0 ? `${fieldPath(issue.path)}: ` : ""}${issue.message}`],
  );
}

/** `service.Environment[2]`, as it is written in TypeScript. */
export function fieldPath(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) =>
      typeof part === "number"
        ? `[${part}]`
        : /^[A-Za-z_$][\w$-]*$/.test(String(part))
          ? `${index > 0 ? "." : ""}${String(part)}`
          : `[${JSON.stringify(String(part))}]`,
    )
    .join("");
}
