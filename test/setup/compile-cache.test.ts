import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { load } from "js-yaml";
import { z } from "zod";

const repository = join(import.meta.dirname, "..", "..");
const project = z.object({ runtime: z.object({ options: z.object({ nodeargs: z.string() }) }) });
const { runtime } = project.parse(load(readFileSync(join(repository, "Pulumi.yaml"), "utf8")));

/** Runs Node as Pulumi runs it for this repository's program. */
function run(cache: string, NODE_COMPILE_CACHE?: string) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      ...runtime.options.nodeargs.split(" "),
      "--eval",
      "console.log(require('node:module').getCompileCacheDir() ?? '')",
    ],
    { cwd: repository, encoding: "utf8", env: { ...process.env, XDG_CACHE_HOME: cache, NODE_COMPILE_CACHE } },
  );
  return { status, folder: stdout.trim(), stderr };
}

test("what Node compiled of a stack's program is kept in the user's cache, or where NODE_COMPILE_CACHE says", () => {
  const base = mkdtempSync(join(tmpdir(), "compile-cache-"));
  try {
    const usual = run(base);
    assert.deepEqual({ ...usual, folder: usual.folder.startsWith(join(base, "pulumi-systemd", "node")) }, well);
    assert.deepEqual(readdirSync(base), ["pulumi-systemd"]);
    const chosen = run(base, join(base, "chosen"));
    assert.deepEqual({ ...chosen, folder: chosen.folder.startsWith(join(base, "chosen")) }, well);
  } finally {
    rmSync(base, { recursive: true });
  }
});

test("a cache that cannot be written is no reason to fail", () => {
  assert.deepEqual(run("/dev/null"), { status: 0, folder: "", stderr: "" });
});

const well = { status: 0, folder: true, stderr: "" };
