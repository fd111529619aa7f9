// Joins index.ts and what it imports of ours into one JavaScript file, so that `pulumi up` does not read and strip 150 TypeScript
// files: `node build/program.ts` writes it, main.js runs it.

import { pathToFileURL } from "node:url";
import { joinedText, writeBundle } from "./bundle.ts";

/** Where the joined program is. */
export const programBundle = "bin/program/main.mjs";

/** The text of the joined program. Packages stay where they are, so that it always runs with those that are installed. */
export function programText(): Promise<string> {
  return joinedText("index.ts", { format: "esm", packages: "external" });
}

/** Writes the joined program. */
export async function writeProgram(): Promise<void> {
  writeBundle(programBundle, await programText());
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await writeProgram();
