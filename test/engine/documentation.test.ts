import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { commandResult } from "../../setup/command.ts";
import { moduleOf, snippets } from "../docs/snippets.ts";

const top = join(import.meta.dirname, "..", "..");

test("the TypeScript of the README and of docs/ compiles", async () => {
  const code = snippets("ts", "typescript");
  assert.ok(code.length >= 5, String(code.length));
  // Beside the sources, so that the repository's own compiler options and modules apply.
  mkdirSync(join(top, "bin"), { recursive: true });
  const folder = mkdtempSync(join(top, "bin", "snippets-"));
  try {
    for (const snippet of code) {
      writeFileSync(join(folder, `${snippet.place.replace(/\W+/g, "-")}.ts`), moduleOf(snippet));
    }
    // A snippet need not use all that it shows.
    const options = { extends: "../../tsconfig.json", compilerOptions: { noUnusedLocals: false }, include: ["*.ts"] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ ...options, exclude: [] }));
    const { code: status, stdout } = await commandResult(["tsc", "--noEmit", "-p", folder], { timeoutSec: 300 });
    assert.equal(status, 0, stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
