import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { readLock } from "../../../activation/environment/lock.ts";
import { ReleaseError } from "../../../activation/release.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lock-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function written(path: string, content: string): string {
  mkdirSync(join(folder, path, ".."), { recursive: true });
  writeFileSync(join(folder, path), content);
  return join(folder, path);
}

test("a requirements.txt takes along what it includes, each file once", () => {
  const file = written("requirements.txt", "-r more/base.txt\n-c constraints.txt\nflask==3.0.0  # the web\n");
  written("more/base.txt", "-r ../shared.txt\nsix==1.17.0\n");
  written("shared.txt", "vine==5.1.0\n");
  written("constraints.txt", "-r shared.txt\n");
  const lock = readLock(file);
  assert.deepEqual(
    [lock.kind, lock.isHashed, lock.inputs.map(({ path }) => path)],
    ["requirements", false, ["requirements.txt", "more/base.txt", "shared.txt", "constraints.txt"]],
  );
});

test("hashes are seen over continued lines", () => {
  const file = written("requirements.txt", `flask==3.0.0 \\\n    --hash=sha256:${"a".repeat(64)}\n`);
  assert.equal(readLock(file).isHashed, true);
});

const refusals: readonly (readonly [line: string, reason: RegExp])[] = [
  ["-e .", /requirement 1 \(-e \.\) installs from a path/],
  ["./libs/mine", /installs from a path, .* build a wheel of it/],
  ["mine @ file:///srv/mine", /installs from a path/],
  ["--index-url https://pypi.example.org/simple", /says where packages come from; give that to `packageIndex`/],
  ["-f wheels", /says where packages come from/],
  ["-r gone.txt", /includes .*gone\.txt, which does not exist/],
  ["-r ../above.txt", /which lies above/],
];
for (const [line, reason] of refusals) {
  test(`a requirements.txt with the line ${line} is refused`, () => {
    assert.throws(
      () => readLock(written("requirements.txt", `# a comment\n\n${line}\n`)),
      (error) => error instanceof ReleaseError && reason.test(error.message),
    );
  });
}

test("a password in a requirements.txt is refused and not shown", () => {
  const file = written("requirements.txt", "--index-url https://me:hunter2@pypi.example.org/simple\n");
  assert.throws(
    () => readLock(file),
    (error) =>
      error instanceof ReleaseError && /holds a password/.test(error.message) && !error.message.includes("hunter2"),
  );
});

test("a pylock.toml becomes requirements with hashes, without what extras and groups bring", () => {
  const file = written(
    "pylock.toml",
    `lock-version = "1.0"
created-by = "uv"
[[packages]]
name = "six"
version = "1.17.0"
sdist = { url = "https://example.org/six.tar.gz", hashes = { sha256 = "bb" } }
wheels = [{ url = "https://example.org/six.whl", hashes = { sha256 = "aa" } }]
[[packages]]
name = "tzdata"
version = "2025.2"
marker = "sys_platform == 'win32'"
wheels = [{ url = "https://example.org/t.whl", hashes = { sha256 = "cc" } }]
[[packages]]
name = "pytest"
version = "8.0"
marker = "'dev' in dependency_groups"
wheels = [{ url = "https://example.org/p.whl", hashes = { sha256 = "dd" } }]
`,
  );
  assert.deepEqual(readLock(file).inputs, [
    {
      path: "requirements.txt",
      content:
        "six==1.17.0 --hash=sha256:aa --hash=sha256:bb\ntzdata==2025.2 ; sys_platform == 'win32' --hash=sha256:cc\n",
    },
  ]);
});

test("a pylock.toml that cannot be installed from an index says which package", () => {
  const head = 'lock-version = "1.0"\n[[packages]]\nname = "mine"\n';
  assert.throws(
    () => readLock(written("pylock.toml", `${head}directory = { path = "." }\n`)),
    /package mine has no version/,
  );
  assert.throws(() => readLock(written("pylock.toml", "packages = 3\n")), /no lock that can be read: .*lock-version/);
  assert.throws(() => readLock(written("pylock.toml", "packages = [\n")), /no lock that can be read/);
  assert.throws(() => readLock(written("pylock.dev.toml", 'lock-version = "2.0"\npackages = []\n')), /must be 1\.x/);
});

test("a uv.lock needs its pyproject.toml; a pyproject.toml alone is no lock", () => {
  const lock = written("uv.lock", "version = 1\n");
  assert.throws(() => readLock(lock), /there is no pyproject\.toml beside it/);
  const project = written("pyproject.toml", "[project]\n");
  const read = readLock(lock);
  assert.deepEqual([read.kind, read.inputs.map(({ path }) => path)], ["uv", ["uv.lock", "pyproject.toml"]]);
  assert.throws(() => readLock(project), /does not say which versions are installed; give its lock/);
  assert.throws(() => readLock(join(folder, "none.txt")), /does not exist; give a lock/);
});
