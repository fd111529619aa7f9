import { z } from "zod";
import { instanceOf, unitNameProblem } from "../systemd/unit-name.ts";
import { validArguments } from "./argument-error.ts";

/** Part of StateDirectory=, where `:` and `\` have a meaning. */
const instanceName = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/, {
  error: ({ input }) =>
    `${JSON.stringify(input)} is no name of an instance; write letters, digits and _ . -, beginning with a letter, a digit or _`,
});

/** The arguments that make instances. They are known at once: each instance is a resource. */
export const instanceShape = {
  instances: z.number().int().min(1).max(1000).optional(),
  instanceNames: z
    .array(instanceName)
    .min(1, "is empty; name an instance, or leave it out for one service without instances")
    .refine((names) => new Set(names).size === names.length, "names an instance twice")
    .optional(),
};

const instanceSchema = z.strictObject(instanceShape);

/** How many instances a service has, or their names. */
export interface InstanceArgs {
  instances?: number | undefined;
  instanceNames?: readonly string[] | undefined;
}

/** One unit of a service. */
export interface ServiceUnit {
  /** File name: `api.service`, `api@1.service`. */
  readonly name: string;
  /** Name of the instance; undefined for a service without. */
  readonly instance: string | undefined;
}

/** The unit by which a service as a whole is known: `NAME.service`, with instances their template `NAME@.service`. */
export function serviceUnitName(name: string, { instances, instanceNames }: InstanceArgs): string {
  return instances === undefined && instanceNames === undefined ? `${name}.service` : `${name}@.service`;
}

/**
 * The units of a service: one, or one for each instance in order.
 * @throws Error naming the argument, what was received and what is accepted
 */
export function serviceUnits(name: string, args: InstanceArgs): ServiceUnit[] {
  const { instances, instanceNames } = validArguments(instanceSchema, {
    instances: args.instances,
    instanceNames: args.instanceNames,
  });
  if (instances === undefined && instanceNames === undefined) {
    return [{ name: `${name}.service`, instance: undefined }];
  }
  if (instances !== undefined && instanceNames !== undefined) {
    throw new Error(
      "instances, instanceNames: both are given; a number makes instances 1, 2, ...; keep one of the two",
    );
  }
  if (name.includes("@")) {
    throw new Error(`instances: belong to a service whose own name has no @, got ${JSON.stringify(name)}`);
  }
  const names = instanceNames ?? Array.from({ length: instances ?? 0 }, (_, index) => String(index + 1));
  return names.map((instance) => {
    const unit = instanceOf(`${name}@.service`, instance);
    const problem = unitNameProblem(unit);
    if (problem !== undefined) throw new Error(problem);
    return { name: unit, instance };
  });
}

/**
 * A value for one instance: `%i` in its texts is the instance's name, and `%%i` is a plain `%i`.
 * @param instance undefined for a service without instances, whose texts stay as they are
 */
export function ofInstance<T>(value: T, instance: string | undefined): T {
  // Every text becomes a text and all else is kept, so the type stays.
  return instance === undefined ? value : (substituted(value, instance) as T);
}

function substituted(value: unknown, instance: string): unknown {
  if (typeof value === "string") return value.replace(/%(%?)i/g, (_, escaped) => (escaped === "" ? instance : "%i"));
  if (Array.isArray(value)) return value.map((part) => substituted(part, instance));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, substituted(part, instance)]));
}
