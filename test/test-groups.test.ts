import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { commandOutput } from "../setup/command.ts";

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "test-groups-test-"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Counts and first lines of what is printed for files of one group, in a process of its own. */
async function counted(texts: Readonly<Record<string, string>>) {
  const files = Object.entries(texts).map(([name, text]) => {
    const file = join(folder, `${name}.test.ts`);
    writeFileSync(file, `import { test } from "node:test";\n${text}\n`);
    return file;
  });
  const program = `
    import { groupedTestCounts } from ${JSON.stringify(join(import.meta.dirname, "test-groups.ts"))};
    const printed = [];
    const groups = [${JSON.stringify(files)}];
    const print = (line) => printed.push(line.split("\\n").slice(0, 2).join(" |"));
    const counts = await groupedTestCounts({ groups, concurrency: 1, timeoutSec: 30, print });
    console.log(JSON.stringify({ counts, printed }));`;
  writeFileSync(join(folder, "program.mjs"), program);
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const command = [process.execPath, join(folder, "program.mjs")];
  return JSON.parse(await commandOutput("groupedTestCounts", command, { env, cwd: folder }));
}

const fine = 'test("fine", () => {});';

test("files of a group share a process, and each test counts once", async () => {
  const one = 'globalThis.one = true; test("fine", () => {}); test("boo", () => { throw new Error("boo"); });';
  const two = 'test("sees the other", () => { if (globalThis.one !== true) throw new Error("alone"); });';
  assert.deepEqual(await counted({ one, two }), {
    counts: { passed: 2, failed: 1, skipped: 0 },
    printed: ["FAILED one.test.ts: boo |  Error: boo"],
  });
});

for (const [what, text, end] of [
  ["does not load", 'throw new Error("at load");', "its process ended with exit code 1"],
  ["is killed", 'test("dies", () => process.kill(process.pid, "SIGKILL"));', "its process was ended by SIGKILL"],
  ["ends badly", "process.exitCode = 3;", "its process ended with exit code 3"],
  ["holds no test", "", "it holds no test"],
] as const) {
  test(`a file that ${what} is named and has failed, the others are counted`, async () => {
    const { counts, printed } = await counted({ one: fine, two: text, three: fine });
    assert.deepEqual(counts, { passed: 2, failed: 1, skipped: 0 });
    assert.deepEqual(printed, [`FAILED two.test.ts: the file |  ${end}`]);
  });
}

test("files that fail only together have failed", async () => {
  const once = 'if (globalThis.taken) throw new Error("taken"); globalThis.taken = true; test("alone", () => {});';
  assert.deepEqual(await counted({ one: once, two: once }), {
    counts: { passed: 2, failed: 1, skipped: 0 },
    printed: ["FAILED one.test.ts, two.test.ts in one process, though not alone |  its process ended with exit code 1"],
  });
});
