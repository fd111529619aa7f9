import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { ReleaseError, releaseArchive } from "../../activation/release.ts";

let folder: string;
let cacheBefore: string | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "release-"));
  cacheBefore = process.env.XDG_CACHE_HOME;
  process.env.XDG_CACHE_HOME = join(folder, "cache");
});

afterEach(() => {
  if (cacheBefore === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = cacheBefore;
  rmSync(folder, { recursive: true });
});

function sourceTree(name: string, files: readonly string[]): string {
  const root = join(folder, name);
  mkdirSync(root);
  for (const file of files) {
    mkdirSync(join(root, file, ".."), { recursive: true });
    writeFileSync(join(root, file), `content of ${file}\n`);
  }
  return root;
}

test("holds every file, sorted, without owner or time, and leaves caches out", () => {
  const root = sourceTree("app", ["b/z.py", "b/a.py", "run.sh", "__pycache__/x.pyc", ".git/HEAD", "b/old.pyc"]);
  chmodSync(join(root, "run.sh"), 0o777);
  chmodSync(join(root, "b/a.py"), 0o600);
  const listing = execFileSync("tar", ["--utc", "--full-time", "-tvf", releaseArchive(root).path], {
    encoding: "utf8",
  });
  assert.deepEqual(
    listing
      .trim()
      .split("\n")
      .map((line) => line.replace(/\s+/g, " ")),
    [
      "drwxr-xr-x 0/0 0 1970-01-01 00:00:00 b/",
      "-rw-r--r-- 0/0 18 1970-01-01 00:00:00 b/a.py",
      "-rw-r--r-- 0/0 18 1970-01-01 00:00:00 b/z.py",
      "-rwxr-xr-x 0/0 18 1970-01-01 00:00:00 run.sh",
    ],
  );
});

test("is the same for the same files, whatever their order, times and group modes", () => {
  const one = sourceTree("one", ["a.py", "b/c.py"]);
  const two = sourceTree("two", ["b/c.py", "a.py"]);
  utimesSync(join(two, "a.py"), 1, 1);
  chmodSync(join(two, "a.py"), 0o664);
  assert.equal(releaseArchive(one).sha256, releaseArchive(two).sha256);
});

test("differs when a byte or a name does", () => {
  const hashes = [["a.py"], ["b.py"], ["a.py", "b.py"]].map(
    (files, index) => releaseArchive(sourceTree(`${index}`, files)).sha256,
  );
  assert.equal(new Set(hashes).size, 3);
});

test("refuses what is no directory of code, and says why", () => {
  const file = join(sourceTree("app", ["a.py"]), "a.py");
  const missing = join(folder, "missing");
  const empty = sourceTree("empty", [".git/HEAD"]);
  assert.throws(
    () => releaseArchive(missing),
    new ReleaseError(`the directory "${missing}" does not exist; give a directory of source code`),
  );
  assert.throws(
    () => releaseArchive(file),
    new ReleaseError(`"${file}" is not a directory; give a directory of source code`),
  );
  assert.throws(() => releaseArchive(empty), new ReleaseError(`the directory "${empty}" holds nothing to ship`));
});
