import { createRequire, enableCompileCache, flushCompileCache } from "node:module";
import { join } from "node:path";
import { isCurrent } from "../build/current-bundle.js";

const root = join(import.meta.dirname, "..");

/**
 * Runs a pack: from its bundle (build/policy-pack.ts) where that is made of the sources as they are, else from the sources,
 * which takes some tenths of a second more.
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
