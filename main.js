// What Pulumi runs: index.ts as one file (build/program.ts) where that was made of the sources as they are, else index.ts itself,
// which takes some tenths of a second more.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { isCurrent } from "./build/current-bundle.js";

const joined = join(import.meta.dirname, "bin/program/main.mjs");
const program = await import(isCurrent(joined) ? pathToFileURL(joined).href : "./index.ts");

export const hosts = program.hosts;
