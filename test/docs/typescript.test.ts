// Every TypeScript snippet runs as it stands; test/engine/documentation.test.ts has the compiler look at them.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import type * as pulumi from "@pulumi/pulumi";
import { settledValue, warnings } from "../components/recorded.ts";
import { moduleOf, snippets } from "./snippets.ts";

const top = join(import.meta.dirname, "..", "..");
let folder: string;

before(() => {
  // Beside the sources, so that the components are the same modules here and there.
  mkdirSync(join(top, "bin"), { recursive: true });
  folder = mkdtempSync(join(top, "bin", "snippets-"));
  for (const name of ["app", "monitor"]) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "main.py"), "print('served')\n");
  }
  process.chdir(folder);
});
after(() => {
  process.chdir(top);
  rmSync(folder, { recursive: true });
});

const all = snippets("ts", "typescript");

test("there are such snippets", () => assert.ok(all.length >= 5, String(all.length)));

for (const [index, snippet] of all.entries()) {
  test(`${snippet.place} runs as it stands`, async () => {
    const file = join(folder, `snippet-${index}.ts`);
    writeFileSync(file, moduleOf(snippet));
    const told = warnings.length;
    const { outputs } = (await import(pathToFileURL(file).href)) as { outputs: pulumi.Output<unknown>[] };
    // One is of what stands elsewhere.
    assert.ok(outputs.length > 1);
    await Promise.all(outputs.map((output) => settledValue(output)));
    assert.deepEqual(warnings.slice(told), []);
  });
}
