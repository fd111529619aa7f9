import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createRequire, enableCompileCache, flushCompileCache } from "node:module";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");

/**
 * Runs a pack: from its bundle (build/policy-pack.ts) where that is made of the sources as they are, else from the sources,
 * which takes some tenths of a second more. A published package has no sources.
 *
 * Pulumi would compile and type-check a pack whose main file is TypeScript at each preview (seconds), so each pack's main
 * file is JavaScript.
 */
export function load(bundle, source) {
  const path = join(root, bundle);
  // Beside the code that it is made of, where only those can write who can write the code.
  enableCompileCache(join(root, "bin/policies/compile-cache"));
  if (isCurrent(path)) createRequire(import.meta.url)(path);
  // An import, for a required TypeScript file would be compiled by Pulumi again.
  else import(source);
  // Node writes the cache when it exits, but Pulumi kills it.
  setImmediate(flushCompileCache);
}

/** Whether a bundle is there and was made of the sources that are there. */
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
