import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { ReleaseError, releaseArchive, releaseId, wheelhouseArchive } from "../../activation/release.ts";

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

/** Makes a zip of members with their Unix modes. Python's zipfile writes whatever it is told. */
function zipped(path: string, members: readonly (readonly [name: string, mode: number, content: string])[]): void {
  const program = `import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    for name, mode, content in json.loads(sys.argv[2]):
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        archive.writestr(info, content)`;
  execFileSync("python3", ["-W", "ignore", "-c", program, path, JSON.stringify(members)]);
}

/** The archive's members as tar itself lists them. */
function listed(archive: string): string[] {
  return execFileSync("tar", ["--utc", "--full-time", "-tvf", archive], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => line.replace(/\s+/g, " "));
}

test("holds every file, sorted, without owner or time, and leaves caches out", () => {
  const files = ["b/z.py", "b/a.py", "run.sh", "__pycache__/x.pyc", ".git/HEAD", "b/old.pyc", ".env", "only/.env.prod"];
  const root = sourceTree("app", files);
  chmodSync(join(root, "run.sh"), 0o777);
  chmodSync(join(root, "b/a.py"), 0o600);
  symlinkSync("../run.sh", join(root, "b/link"));
  assert.deepEqual(listed(releaseArchive(root).path), [
    "drwxr-xr-x 0/0 0 1970-01-01 00:00:00 b/",
    "-rw-r--r-- 0/0 18 1970-01-01 00:00:00 b/a.py",
    "lrwxrwxrwx 0/0 0 1970-01-01 00:00:00 b/link -> ../run.sh",
    "-rw-r--r-- 0/0 18 1970-01-01 00:00:00 b/z.py",
    "-rwxr-xr-x 0/0 18 1970-01-01 00:00:00 run.sh",
  ]);
});

test("is the same for the same files, whatever their order, times, modes, hard links, locale and empty directories", () => {
  const one = sourceTree("one", ["a.py", "b/c.py", "b/d.py", "\u00e9t\u00e9.py"]);
  const two = sourceTree("two", ["\u00e9t\u00e9.py", "b/d.py", "b/c.py", "a.py"]);
  const plain = releaseArchive(one).sha256;
  assert.equal(
    plain,
    "bfe7edf5ffe636b647fa3b9c1a5418e93811b9a554e198836aba72cfdc046de5",
    "the digest of these files on any machine",
  );
  utimesSync(join(two, "a.py"), 1, 1);
  chmodSync(join(two, "a.py"), 0o664);
  mkdirSync(join(two, "empty/__pycache__"), { recursive: true });
  assert.equal(releaseArchive(two).sha256, plain);
  rmSync(join(two, "b/c.py"));
  writeFileSync(join(folder, "same"), "content of b/c.py\n");
  linkSync(join(folder, "same"), join(two, "b/c.py"));
  const before = process.umask(0o077);
  try {
    assert.equal(releaseArchive(two).sha256, plain);
  } finally {
    process.umask(before);
  }
});

test("differs when a byte or a name does", () => {
  const hashes = [["a.py"], ["b.py"], ["a.py", "b.py"]].map(
    (files, index) => releaseArchive(sourceTree(`${index}`, files)).sha256,
  );
  assert.equal(new Set(hashes).size, 3);
});

test("long names and names that are no ASCII come back as they were", () => {
  const long = `${"d".repeat(90)}/${"e".repeat(90)}/${"f".repeat(90)}.py`;
  const archive = releaseArchive(sourceTree("app", [long, "\u65e5\u672c/x.py"]));
  const names = execFileSync("tar", ["--quoting-style=literal", "-tf", archive.path], { encoding: "utf8" }).split("\n");
  assert.ok(names.includes(long) && names.includes("\u65e5\u672c/x.py"), names.join("\n"));
});

test("a directory, its tar, its tar.gz and its zip are one release", () => {
  const root = sourceTree("app", ["a.py", "b/run.sh"]);
  chmodSync(join(root, "b/run.sh"), 0o755);
  symlinkSync("b/run.sh", join(root, "start"));
  const wanted = releaseArchive(root).sha256;
  execFileSync("tar", ["-C", root, "-cf", join(folder, "a.tar"), "."]);
  execFileSync("tar", ["-C", root, "-czf", join(folder, "a.tar.gz"), "a.py", "b", "start"]);
  zipped(join(folder, "a.zip"), [
    ["a.py", 0o100644, "content of a.py\n"],
    ["b/run.sh", 0o100755, "content of b/run.sh\n"],
    ["start", 0o120777, "b/run.sh"],
  ]);
  for (const name of ["a.tar", "a.tar.gz", "a.zip"]) {
    assert.equal(releaseArchive(join(folder, name)).sha256, wanted, name);
  }
});

test("an archive with a member that is not safe is refused by its name", () => {
  let number = 0;
  const zip = (name: string, mode: number, content = "x") => {
    number += 1;
    const path = join(folder, `${number}.zip`);
    zipped(path, [
      ["fine.py", 0o100644, "x"],
      [name, mode, content],
    ]);
    return path;
  };
  const cases: [string, RegExp][] = [
    [zip("../out.py", 0o100644), /member "\.\.\/out\.py" has a path that leaves the archive/],
    [zip("/etc/out.py", 0o100644), /member "\/etc\/out\.py" has a path that leaves the archive/],
    [zip("link", 0o120777, "/etc/passwd"), /member "link" is a link to "\/etc\/passwd", which leaves the release/],
    [zip("suid", 0o104755), /member "suid" has a set-uid or set-gid bit/],
    [zip("fifo", 0o010644), /member "fifo" is a device, pipe or other special file/],
    [zip("fine.py", 0o100644), /Duplicate entry name "fine\.py"/],
    [zip("fine.py/below", 0o100644), /member "fine\.py\/below" lies under "fine\.py", which is no directory/],
  ];
  for (const [path, expected] of cases) {
    assert.throws(
      () => releaseArchive(path),
      (error) => error instanceof ReleaseError && expected.test(error.message),
    );
  }
  const pipe = join(folder, "pipe");
  mkdirSync(pipe);
  execFileSync("mkfifo", [join(pipe, "p")]);
  execFileSync("tar", ["-C", pipe, "-cf", join(folder, "pipe.tar"), "p"]);
  assert.throws(() => releaseArchive(join(folder, "pipe.tar")), /member "p" is a device, pipe or other special file/);
  assert.throws(() => releaseArchive(pipe), /p is a device, pipe or socket/);
  writeFileSync(join(folder, "no.tar"), "this is no tar");
  assert.throws(() => releaseArchive(join(folder, "no.tar")), /cannot be read as an archive/);
});

test("links of a source that leave it are refused, others are shipped", () => {
  const root = sourceTree("app", ["a.py"]);
  symlinkSync("/etc/passwd", join(root, "out"));
  assert.throws(() => releaseArchive(root), /app\/out is a link to "\/etc\/passwd", which leaves the release/);
  chmodSync(join(root, "a.py"), 0o4755);
  rmSync(join(root, "out"));
  assert.throws(() => releaseArchive(root), /app\/a\.py has a set-uid or set-gid bit/);
});

test("refuses what is no source, and says why", () => {
  const accepted = "give a directory of source code, a .tar, .tar.gz or .zip of one, or a wheel";
  const file = join(sourceTree("app", ["a.py"]), "a.py");
  const missing = join(folder, "missing");
  const empty = sourceTree("empty", [".git/HEAD"]);
  assert.throws(() => releaseArchive(missing), new ReleaseError(`"${missing}" does not exist; ${accepted}`));
  assert.throws(() => releaseArchive(file), new ReleaseError(`"${file}" is no source of a release; ${accepted}`));
  assert.throws(
    () => releaseArchive(empty),
    new ReleaseError(`"${empty}" holds nothing to ship (see its .gitignore files)`),
  );
});

test("a release is named after its code and its environment", () => {
  const [code, environment] = ["a".repeat(64), "b".repeat(64)];
  assert.equal(releaseId(code, undefined), "aaaaaaaaaaaaaaaa");
  assert.match(releaseId(code, environment), /^[0-9a-f]{16}$/);
  assert.notEqual(releaseId(code, environment), releaseId(code, "c".repeat(64)));
});

test("a wheelhouse ships its wheels and nothing else", () => {
  const root = sourceTree("wheels", ["b-1-py3-none-any.whl", "a-1-py3-none-any.whl", "notes.txt"]);
  assert.deepEqual(
    listed(wheelhouseArchive(root).path).map((line) => line.split(" ").at(-1)),
    ["a-1-py3-none-any.whl", "b-1-py3-none-any.whl"],
  );
  assert.throws(() => wheelhouseArchive(sourceTree("none", ["a.py"])), /holds no wheel/);
});
