import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { refusedByCompiler } from "./compiler.ts";
import type { Mutant } from "./report.ts";

const folder = mkdtempSync(join(tmpdir(), "pulumi-systemd-compiler-"));
after(() => rmSync(folder, { recursive: true }));
const options = { strict: true, lib: ["ES5"], types: [], module: "NodeNext", moduleResolution: "NodeNext" };
writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options }));

function changeOf(file: string, text: string, from: string, to: string): Mutant {
  writeFileSync(join(folder, file), text);
  return { file, line: text.trim(), lineNumber: 1, offset: text.indexOf(from), from, to, status: "Survived" };
}

test("tells the changes that do not compile, each by itself", () => {
  const text = 'export const level: "a" | "b" = "a";\n';
  const changes = ["c", '""', '"b"', '"'].map((to) => changeOf("level.ts", text, '"a";', `${to};`));
  const refused = refusedByCompiler(folder, changes);
  assert.deepEqual(
    changes.map((change) => refused.has(change)),
    [true, true, false, true],
  );
});

test("looks at nothing that was broken before", () => {
  const broken = changeOf("broken.ts", "export const level: 1 = 2;\n", "2", "1");
  assert.throws(() => refusedByCompiler(folder, [broken]), /^Error: broken\.ts: /);
});
