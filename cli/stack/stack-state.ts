import { z } from "zod";
import type { KnownResource } from "./program-record.ts";
import type { ProjectFile } from "./project-file.ts";
import { pulumiOutput } from "./pulumi-output.ts";

const stateSchema = z.looseObject({
  deployment: z
    .looseObject({
      resources: z
        .array(
          z.looseObject({
            urn: z.string(),
            id: z.string().optional(),
            delete: z.boolean().optional(),
            outputs: z.record(z.string(), z.unknown()).optional(),
          }),
        )
        .nullish(),
    })
    .nullish(),
});

/** What a Host made for itself: its receipt is of another bundle than the program now describes. */
const ofHost = /systemd:index:Host\$command:remote:/;

/**
 * What the last update of a stack left in its state, by URN, with secrets in the clear.
 * @param name by which the CLI knows the stack
 * @throws UsageError with the CLI's own words when it cannot read the state
 */
export async function stateResources(project: ProjectFile, name: string): Promise<Map<string, KnownResource>> {
  const printed = await pulumiOutput(["stack", "export", "--show-secrets", "--stack", name], project.folder);
  const { deployment } = stateSchema.parse(JSON.parse(printed));
  return new Map(
    (deployment?.resources ?? [])
      // One that waits for its removal has a successor of the same URN.
      .filter((resource) => resource.delete !== true && !ofHost.test(resource.urn))
      .map(({ urn, id = "", outputs = {} }) => [urn, { id, outputs: inClear(outputs) }]),
  );
}

/** A state writes a secret as JSON text; on the wire it is the value itself. */
function inClear(outputs: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(outputs).map(([key, value]) => [key, wireForm(value)]));
}

function wireForm(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(wireForm);
  if (typeof value !== "object" || value === null) return value;
  if ("plaintext" in value && typeof value.plaintext === "string") {
    const { plaintext, ...kind } = value;
    return { ...kind, value: JSON.parse(plaintext) };
  }
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, wireForm(part)]));
}
