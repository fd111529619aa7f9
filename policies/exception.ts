import { z } from "zod";

/** What one policy lets pass, and why. */
export interface Exception {
  /** Name of the resource, that is the unit's file name, with `*` for any text and `?` for one character. */
  readonly name?: string | undefined;
  /** Type of a component that the resource belongs to, such as `systemd:index:HealthCheck`. */
  readonly component?: string | undefined;
  /** Why, for the reviewer; shown in each preview where the exception is used. */
  readonly reason: string;
}

/** The `except` list that every policy's config has. */
export const exceptions = z
  .array(
    z
      .strictObject({
        name: z
          .string()
          .min(1)
          .describe("Name of the resource, with * for any text and ? for one character.")
          .optional(),
        component: z
          .string()
          .regex(/^[^:]+:[^:]*:[^:]+$/, "is not a resource type such as systemd:index:HealthCheck")
          .describe("Type of a component that the resource belongs to, such as systemd:index:HealthCheck.")
          .optional(),
        reason: z.string().min(10).describe("Why, for the reviewer; shown in each preview that uses it."),
      })
      .refine(({ name, component }) => name !== undefined || component !== undefined, "needs a name or a component")
      // For the CLI's own check of the config, which knows no refinements: a reason and one more.
      .meta({ minProperties: 2 }),
  )
  .default([])
  .describe("Resources that this policy lets pass.");

/** A resource as exceptions tell it from others. */
export interface ResourceIdentity {
  readonly name: string;
  /** `urn:pulumi:STACK::PROJECT::PARENT_TYPE$TYPE::NAME` */
  readonly urn: string;
}

/** The first exception whose name and component, where given, both fit the resource. */
export function exceptionFor(resource: ResourceIdentity, among: readonly Exception[]): Exception | undefined {
  const components = parentTypes(resource.urn);
  return among.find(
    ({ name, component }) =>
      (name === undefined || pattern(name).test(resource.name)) &&
      (component === undefined || components?.includes(component)),
  );
}

function parentTypes(urn: string): readonly string[] | undefined {
  return urn.split("::")[2]?.split("$").slice(0, -1);
}

function pattern(glob: string): RegExp {
  const literal = glob.replaceAll(/[\\^$.|+()[\]{}]/g, "\\$&");
  return new RegExp(`^${literal.replaceAll("*", ".*").replaceAll("?", ".")}$`);
}
