import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build } from "esbuild";
import { sourcesDigest } from "./current-bundle.js";

/** Top of the repository. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/**
 * An entry and what it imports of ours as one JavaScript file. Same input, same bytes. Its first line tells what it was made of, for
 * current-bundle.js.
 */
export async function joinedText(entry: string, options: BuildOptions): Promise<string> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    target: "node22",
    logLevel: "error",
    legalComments: "inline",
    ...options,
  });
  const sources = Object.keys(metafile?.inputs ?? {}).filter((file) => !/^(node_modules\/|sdk:)/.test(file));
  const made = { sources: sources.toSorted(), digest: sourcesDigest(sources) };
  return `// ${JSON.stringify(made)}\n${outputFiles?.[0]?.text}`;
}

/** Writes a bundle whole: another command may be reading the one before. @param file relative to the top of the repository */
export function writeBundle(file: string, text: string): void {
  const path = join(root, file);
  mkdirSync(dirname(path), { recursive: true });
  const partial = `${path}.${process.pid}.partial`;
  writeFileSync(partial, text);
  renameSync(partial, path);
  console.log(`wrote ${relative(root, path)}`);
}
