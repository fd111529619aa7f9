import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { ignoreRules } from "../../../activation/release/ignore-rules.ts";
import { sourceTree } from "../../../activation/release/source-tree.ts";

/** Runs a body over a folder with these files, which goes afterwards. */
function inFolder<T>(files: Readonly<Record<string, string>>, body: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "ignore-"));
  try {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(join(folder, path, ".."), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    return body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function shipped(source: string, last: readonly string[] = []): string[] {
  return sourceTree(source, ignoreRules(source, last))
    .filter(({ kind }) => kind === "file")
    .map(({ path }) => path);
}

/** What Git itself would take along of a folder, by the same rules and no others. */
function takenByGit(top: string, below: string): string[] {
  const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" };
  const git = (...args: string[]) => execFileSync("git", ["-C", top, ...args], { encoding: "utf8", env });
  git("init", "--quiet");
  return git("ls-files", "-z", "--others", "--exclude-standard", "--", below === "" ? "." : below)
    .split("\0")
    .filter((path) => path !== "" && !/(^|\/)\.gitignore$/.test(path))
    .map((path) => (below === "" ? path : path.slice(below.length + 1)))
    .sort();
}

const name = fc.constantFrom("a", "b", "c", "log", "x.log", "y.txt", "build", "keep");
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
const word = fc.oneof(name, fc.constantFrom("*", "**", "*.log", "?", "[ab]", "b*", "!a", "x.*"));
const pattern = fc
  .tuple(
    fc.constantFrom("", "", "!"),
    fc.constantFrom("", "", "/"),
    fc.array(word, { minLength: 1, maxLength: 3 }),
    fc.constantFrom("", "", "/"),
  )
  .map(([sign, root, words, end]) => `${sign}${root}${words.join("/")}${end}`);
const patterns = fc.array(pattern, { maxLength: 4 }).map((lines) => `# comment\n\n${lines.join("\n")}\n`);

test("what is left out is what Git leaves out, with nested files, negation and files above the source", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(path, { minLength: 1, maxLength: 12 }),
      patterns,
      patterns,
      patterns,
      fc.boolean(),
      (paths, top, nested, deeper, isBelow) => {
        // A file cannot be a directory as well.
        const files = paths.filter((one) => !paths.some((other) => other.startsWith(`${one}/`)));
        const ignores = { ".gitignore": top, "a/.gitignore": nested, "a/b/.gitignore": deeper };
        const there = Object.fromEntries([
          ...files.filter((file) => !["a", "a/b"].includes(file)).map((file) => [file, "x"] as const),
          ...Object.entries(ignores),
        ]);
        inFolder(there, (folder) => {
          const below = isBelow ? "a" : "";
          const git = takenByGit(folder, below);
          // Who ships an ignored directory by name gets it; Git would give nothing.
          const whole = takenByGit(folder, "");
          if (isBelow && git.length === 0 && !whole.some((file) => file.startsWith("a/"))) return;
          assert.deepEqual(shipped(join(folder, below)).sort(), git);
        });
      },
    ),
    { numRuns: 40 },
  );
});

test("defaults, .gitignore and the user's own patterns are read in this order", () => {
  const files = {
    ".gitignore": "dist/\n*.sqlite3\n",
    ".env": "SECRET=1",
    ".env.example": "SECRET=",
    "app.py": "",
    "db.sqlite3": "",
    "dist/app.js": "",
    "docs/x.md": "",
    "pkg/__pycache__/a.pyc": "",
    "pkg/.venv/x": "",
  };
  inFolder(files, (folder) => {
    assert.deepEqual(shipped(folder), [".env.example", "app.py", "docs/x.md"]);
    assert.deepEqual(shipped(folder, ["!dist/", "docs/", "!.env"]), [".env", ".env.example", "app.py", "dist/app.js"]);
  });
});
