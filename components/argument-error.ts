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

/**
 * An error whose message is all that there is to say.
 *
 * Pulumi inspects every error that ends a program, in colour, also where it then hides the stack. Node (20.20, 22.23) does
 * not come to an end over a frame such as `node_modules/@pulumi/resource.ts`, until half a minute later its memory is used up.
 */
export function withoutStack<E extends Error>(error: E): E {
  error.stack = `${error.name}: ${error.message}`;
  return error;
}

/**
 * An error that Pulumi prints under the resource, without a stack trace.
 * @param resource undefined where the resource is not made yet
 */
export function resourceError(message: string, resource: pulumi.Resource | undefined): pulumi.ResourceError {
  return withoutStack(new pulumi.ResourceError(message, resource, true));
}

/**
 * Runs a step so that what it throws is printed under the resource, without a stack trace.
 * @param resource one that is registered already: the engine prints nothing under another
 */
export function reported<R>(resource: pulumi.Resource | undefined, name: string, step: () => R): R {
  try {
    return step();
  } catch (error) {
    if (pulumi.ResourceError.isInstance(error) || !(error instanceof Error)) throw error;
    throw resourceError(`${name}: ${error.message}`, resource);
  }
}

/** One line for each issue: the path of the field as a person writes it, and the reason. */
export function argumentProblems(error: z.ZodError): string[] {
  return error.issues.map((issue) => {
    const at = issue.path.length > 0 ? `${fieldPath(issue.path)}: ` : "";
    if (issue.code === "invalid_union" && issue.errors.length > 0) {
      return `${at}${issue.errors.map((errors) => errors[0]?.message ?? issue.message).join(", or ")}`;
    }
    return `${at}${(issue.code === "invalid_key" ? issue.issues[0]?.message : undefined) ?? issue.message}`;
  });
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
