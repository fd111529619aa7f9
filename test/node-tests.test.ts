import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { commandOutput } from "../setup/command.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "node-tests-"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What nodeTestCounts gives and prints for one file, in a process of its own: node:test does not run inside itself. */
async function counted(text: string, options: { filter?: string; timeoutSec?: number } = {}) {
  const file = join(folder, "some.test.ts");
  writeFileSync(file, `import { after, before, suite, test } from "node:test";\n${text}\n`);
  const program = `
    import { nodeTestCounts } from ${JSON.stringify(join(import.meta.dirname, "node-tests.ts"))};
    const printed = [];
    const counts = await nodeTestCounts({
      files: [${JSON.stringify(file)}], concurrency: 1, timeoutSec: 30, print: (line) => printed.push(line),
      ...${JSON.stringify(options)},
    });
    console.log(JSON.stringify({ counts, printed: printed.map((text) => text.split("\\n").slice(0, 2).join(" |")) }));`;
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  writeFileSync(join(folder, "program.mjs"), program);
  const command = [process.execPath, join(folder, "program.mjs")];
  return JSON.parse(await commandOutput("nodeTestCounts", command, { env, cwd: folder }));
}

test("tests are counted, suites are not; a failure shows name, file and error", async () => {
  assert.deepEqual(
    await counted(`
      test("fine", () => {});
      suite("group", () => {
        test("inner", () => {});
        test("bad", () => { throw new Error("boo"); });
      });
      test("left out", { skip: "for a reason" }, () => {});
      test("to come", { todo: true }, () => { throw new Error("not yet"); });
    `),
    {
      counts: { passed: 2, failed: 1, skipped: 2 },
      printed: [
        "FAILED some.test.ts: bad |  Error: boo",
        "skipped some.test.ts: left out: for a reason",
        "skipped some.test.ts: to come: to do, and it fails",
      ],
    },
  );
});

for (const [name, text, passed, failure] of [
  ["does not load", 'throw new Error("at load");', 0, "the file |  its process ended with exit code 1"],
  ["imports what is not there", 'import "./nothing.ts";', 0, "the file |  its process ended with exit code 1"],
  [
    "is killed",
    'test("one", async () => { process.kill(process.pid, "SIGKILL"); await new Promise(() => {}); });',
    0,
    "the file |  its process was ended by SIGKILL",
  ],
  ["ends badly", 'test("one", () => {}); process.exitCode = 3;', 1, "the file |  its process ended with exit code 3"],
  ["holds no test", "", 0, "the file |  it holds no test"],
  [
    "has a hook that fails",
    'suite("group", () => { after(() => { throw new Error("hook"); }); test("one", () => {}); });',
    1,
    "group |  Error: hook",
  ],
] as const) {
  test(`a file that ${name} is a failure`, async () => {
    assert.deepEqual(await counted(text), {
      counts: { passed, failed: 1, skipped: 0 },
      printed: [`FAILED some.test.ts: ${failure}`],
    });
  });
}

test("a file that does not end is ended, and has failed", async () => {
  const text = 'test("one", () => {}); test("hangs", () => new Promise((resolve) => setTimeout(resolve, 60_000)));';
  assert.deepEqual(await counted(text, { timeoutSec: 2 }), {
    counts: { passed: 1, failed: 1, skipped: 0 },
    printed: ["FAILED some.test.ts: the file |  test timed out after 2000ms"],
  });
});

test("a filter is plain text, and a file without a match is no failure", async () => {
  const text = 'test("a (b)", () => {}); test("other", () => { throw new Error("not to run"); });';
  assert.deepEqual(await counted(text, { filter: "(b)" }), {
    counts: { passed: 1, failed: 0, skipped: 0 },
    printed: [],
  });
  assert.deepEqual(await counted(text, { filter: "nothing" }), {
    counts: { passed: 0, failed: 0, skipped: 0 },
    printed: [],
  });
});
