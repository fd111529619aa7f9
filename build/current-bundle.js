import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");

/**
 * Whether a bundle is there and was made of the sources that are there, as its first line tells (bundle.ts). A published package
 * has no sources.
 */
export function isCurrent(path) {
  if (!existsSync(path)) return false;
  const text = readFileSync(path, "utf8");
  const { sources, digest } = JSON.parse(text.slice("// ".length, text.indexOf("\n")));
  const present = sources.filter((file) => existsSync(join(root, file)));
  return present.length === 0 || sourcesDigest(present) === digest;
}

/** SHA-256 over names and contents of source files, in the order of their names. */
export function sourcesDigest(files) {
  const hash = createHash("sha256");
  for (const file of files.toSorted())
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update("\0");
  return hash.digest("hex");
}
