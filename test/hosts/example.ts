import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import type { TestStack } from "./stack.ts";

/** Definitions of one kind by name, such as all timers. */
export type ExampleSection = Record<string, Record<string, unknown>>;

/**
 * The config of an example, `examples/NAME/Pulumi.example.yaml`, as Pulumi itself reads it: its sections by name, such as
 * `timers`. The stack's own config is lost by it.
 */
export async function exampleConfig(stack: TestStack, name: string): Promise<Record<string, ExampleSection>> {
  const example = join(import.meta.dirname, "..", "..", "examples", name, "Pulumi.example.yaml");
  copyFileSync(example, join(stack.folder, `Pulumi.${stack.name}.yaml`));
  const read = await stack.pulumi("config", "--json");
  assert.equal(read.code, 0, read.output);
  const values: Record<string, { objectValue: ExampleSection }> = JSON.parse(read.stdout);
  return Object.fromEntries(
    Object.entries(values).map(([key, { objectValue }]) => [key.replace(/^pulumi-systemd:/, ""), objectValue]),
  );
}
