import * as pulumi from "@pulumi/pulumi";
import { resourceError } from "./argument-error.ts";
import { partlyKnownValue } from "./output-value.ts";

/** What stands for a secret text in an error. */
const stand = "[secret]";

/**
 * Runs a check over the known values of arguments. Where some of them are secret and the check fails, the error is that of
 * the same check over the arguments without their secrets, so no message can hold one or a part of one.
 * @param value the arguments as the Output whose value is `known`
 * @param args the arguments as they were given, each part an Output of its own; by default `value`, secret as a whole or not
 */
export function checkedWithoutEcho<R>(
  value: pulumi.Output<unknown>,
  known: unknown,
  check: (known: unknown) => R,
  args: unknown = value,
): R {
  try {
    return check(known);
  } catch (error) {
    // An Output takes in what its step promises, so this is a failure of it, as a throw is.
    return withoutEcho(error, value, args, check) as never;
  }
}

async function withoutEcho(
  error: unknown,
  value: pulumi.Output<unknown>,
  args: unknown,
  check: (known: unknown) => unknown,
): Promise<never> {
  if (!(await pulumi.isSecret(value))) throw error;
  const open = await withoutSecrets(args);
  try {
    check(open);
  } catch (other) {
    const message = messageOf(other);
    throw message === messageOf(error) ? error : alike(error, `${message} (secret values are left out: ${stand})`);
  }
  throw alike(error, "a secret value is not accepted, and it is not shown; look at the secrets among the arguments");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** An error of the same kind with other words. */
function alike(error: unknown, message: string): Error {
  return pulumi.ResourceError.isInstance(error) ? resourceError(message, error.resource) : new Error(message);
}

/** Arguments with all Outputs resolved, and a stand for each text that is secret. */
async function withoutSecrets(value: unknown): Promise<unknown> {
  if (pulumi.Output.isInstance(value)) {
    const [known, isSecret] = await Promise.all([partlyKnownValue(value), pulumi.isSecret(value)]);
    return isSecret ? stands(known) : known;
  }
  if (value instanceof Promise) return withoutSecrets(await value);
  if (Array.isArray(value)) return Promise.all(value.map(withoutSecrets));
  if (!isPlain(value)) return value;
  return Object.fromEntries(
    await Promise.all(Object.entries(value).map(async ([key, part]) => [key, await withoutSecrets(part)] as const)),
  );
}

function stands(value: unknown): unknown {
  if (value === undefined || value === null || pulumi.isUnknown(value)) return value;
  if (Array.isArray(value)) return value.map(stands);
  if (isPlain(value)) return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, stands(part)]));
  return stand;
}

function isPlain(value: unknown): value is object {
  return typeof value === "object" && value !== null && !pulumi.Resource.isInstance(value);
}
