import type { ResourceValidationArgs } from "@pulumi/policy";

/** What rules read of a resource. Reading an input that is not known throws; `reading` (unknown-values.ts) tells it apart. */
export type CheckedResource = Pick<ResourceValidationArgs, "type" | "name" | "urn" | "props"> & {
  readonly opts: Pick<ResourceValidationArgs["opts"], "parent">;
};
