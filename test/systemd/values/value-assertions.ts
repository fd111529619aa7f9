import assert from "node:assert/strict";
import { type Directive, directiveBlocks } from "../../../systemd/directives.ts";
import { valueProblem } from "../../../systemd/values/value.ts";

/** The first directive of that name in the table, whatever its block. */
export function directiveNamed(name: string): Directive {
  const found = Object.values(directiveBlocks)
    .flat()
    .find((directive) => directive.name === name);
  assert.ok(found, `no directive ${name}`);
  return found;
}

/** Every value is accepted by the directive, for any systemd or the given one. */
export function assertAccepted(name: string, values: readonly string[], systemd?: number): void {
  const problems = values.map((value) => [value, valueProblem(directiveNamed(name), value, systemd)]);
  assert.deepEqual(
    problems,
    values.map((value) => [value, undefined]),
  );
}

/** Every value is refused with exactly this message. */
export function assertRefused(name: string, messages: Readonly<Record<string, string>>, systemd?: number): void {
  const found = Object.keys(messages).map((value) => [value, valueProblem(directiveNamed(name), value, systemd)]);
  assert.deepEqual(Object.fromEntries(found), messages);
}
