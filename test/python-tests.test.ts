import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { pythonTestCounts, unittestCounts } from "./python-tests.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "python-tests-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function counted(text: string, filter?: string) {
  writeFileSync(join(folder, "test_some.py"), `import unittest\n${text}\n`);
  const printed: string[] = [];
  const counts = await pythonTestCounts(folder, filter, (line) => printed.push(line));
  return { counts, printed: printed.join("\n") };
}

test("every way a Python test can end is counted", async () => {
  const { counts, printed } = await counted(`
class Some(unittest.TestCase):
    def test_fine(self): pass
    def test_bad(self): self.assertEqual(1, 2)
    def test_error(self): raise ValueError("boo")
    @unittest.skip("why")
    def test_skipped(self): pass
    @unittest.expectedFailure
    def test_expected(self): self.fail()
    @unittest.expectedFailure
    def test_unexpected(self): pass`);
  assert.deepEqual(counts, { passed: 1, failed: 3, skipped: 2 });
  assert.match(printed, /ValueError: boo.*test_bad/s);
});

test("all fine prints nothing", async () => {
  assert.deepEqual(await counted("class Some(unittest.TestCase):\n    def test_fine(self): pass"), {
    counts: { passed: 1, failed: 0, skipped: 0 },
    printed: "",
  });
});

test("a module that does not load, one that ends Python, and none at all are failures", async () => {
  assert.deepEqual((await counted("import nothing_of_that_name")).counts, { passed: 0, failed: 1, skipped: 0 });
  const ended = await counted("import os\nos._exit(0)");
  assert.deepEqual(ended.counts, { passed: 0, failed: 1, skipped: 0 });
  assert.match(ended.printed, /unittest ended with exit code 0/);
  assert.deepEqual((await counted("")).counts, { passed: 0, failed: 1, skipped: 0 });
});

test("a filter may find nothing", async () => {
  const text = "class Some(unittest.TestCase):\n    def test_fine(self): pass";
  assert.deepEqual(await counted(text, "fine"), { counts: { passed: 1, failed: 0, skipped: 0 }, printed: "" });
  assert.deepEqual(await counted(text, "nothing"), { counts: { passed: 0, failed: 0, skipped: 0 }, printed: "" });
});

test("a report without an ending has no counts", () => {
  assert.equal(unittestCounts("Traceback (most recent call last):"), undefined);
  assert.deepEqual(unittestCounts("Ran 1 test in 0.1s\n\nOK\n"), { passed: 1, failed: 0, skipped: 0 });
});
