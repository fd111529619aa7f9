import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import ignore from "ignore";

/**
 * What never belongs to a release, unless the user's own patterns say so: version control, caches, environments that are built
 * on the host, and files that hold secrets by custom (every user of the host can read a release).
 */
export const defaultIgnorePatterns: readonly string[] = [
  ...[".git", ".hg", ".svn", ".gitignore", ".DS_Store"],
  ...["__pycache__/", "*.py[co]", ".mypy_cache/", ".pytest_cache/", ".ruff_cache/", ".tox/", ".nox/"],
  ...[".venv", "venv/", "node_modules/"],
  ...[".env", ".env.*", "!.env.example", "!.env.sample", "!.env.template"],
];

/** Which paths of one source directory belong to its release. */
export interface IgnoreRules {
  /** The rules inside one of its directories, with those of that directory's own `.gitignore`. */
  within(directory: string): IgnoreRules;
  /** Whether a path relative to the source is left out; a directory takes along all that is in it. */
  ignores(path: string, isDirectory: boolean): boolean;
}

/**
 * The rules of gitignore(5) over a source directory: the defaults, and each `.gitignore` from the top of its Git repository
 * down (where it is in one); then `last`, patterns relative to the source that have the last word.
 * The user's own excludes and those of the clone are not read: they differ between machines.
 */
export function ignoreRules(source: string, last: readonly string[]): IgnoreRules {
  const above = foldersAbove(source);
  const base = above[0] ?? source;
  const patterns = above.flatMap((folder) => patternsIn(folder, posixPath(base, folder)));
  const below = posixPath(base, source);
  // Who names a directory that Git ignores as the source wants it shipped.
  const isIgnored = below !== "" && ignore({ ignoreCase: false }).add(patterns).ignores(`${below}/`);
  return rulesOf(base, below, isIgnored ? [] : patterns, anchored(last, below)).within("");
}

function rulesOf(base: string, below: string, patterns: readonly string[], last: readonly string[]): IgnoreRules {
  // Two, so that a `!*` meant for Git does not ship what Git itself would never look at.
  const matchers = [defaultIgnorePatterns, patterns].map((own) => ignore({ ignoreCase: false }).add([...own, ...last]));
  const inBase = (path: string) => [below, path].filter((part) => part !== "").join("/");
  return {
    within: (directory) => {
      const own = patternsIn(join(base, inBase(directory)), inBase(directory));
      return rulesOf(base, below, [...patterns, ...own], last);
    },
    ignores: (path, isDirectory) =>
      matchers.some((matcher) => matcher.ignores(isDirectory ? `${inBase(path)}/` : inBase(path))),
  };
}

/** Folders of the Git repository that the source is in, from its top to the source's parent. None where it is in none. */
function foldersAbove(source: string): string[] {
  const found: string[] = [];
  for (let folder = source; ; folder = dirname(folder)) {
    if (folder !== source) found.unshift(folder);
    if (existsSync(join(folder, ".git"))) return found;
    if (dirname(folder) === folder) return [];
  }
}

/** The patterns of a folder's `.gitignore` as they hold for paths relative to the base; none where there is no such file. */
function patternsIn(folder: string, below: string): string[] {
  const file = join(folder, ".gitignore");
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8")
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/);
  return anchored(lines, below);
}

/** Patterns of the folder `below` the base, written so that they hold for paths relative to the base. */
function anchored(lines: readonly string[], below: string): string[] {
  const prefix = below.replace(/[\\*?[\]!# ]/g, "\\$&");
  return lines
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line) => {
      if (prefix === "") return line;
      const sign = line.startsWith("!") ? "!" : "";
      const pattern = line.slice(sign.length).replace(/^\\([!#])/, "$1");
      const isAnchored = /\/\s*\S/.test(pattern);
      return `${sign}/${prefix}/${isAnchored ? pattern.replace(/^\//, "") : `**/${pattern}`}`;
    });
}

function posixPath(from: string, to: string): string {
  return relative(from, to).split(sep).join("/");
}
