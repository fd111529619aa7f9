/**
 * Writes the tables of the sandbox profiles into docs/hardening.md:
 * `node systemd/generate/hardening-doc.ts` writes them, with `--check` it only tells, and ends with status 1.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { profileTables, tableMarks } from "./profile-table.ts";

const path = "docs/hardening.md";
const file = new URL(`../../${path}`, import.meta.url);
const text = readFileSync(file, "utf8");
const from = text.indexOf(tableMarks.begin);
const to = text.indexOf(tableMarks.end);
if (from < 0 || to < from) throw new Error(`${path} lacks the lines ${tableMarks.begin} and ${tableMarks.end}`);
const current = `${text.slice(0, from)}${tableMarks.begin}\n${profileTables()}\n${text.slice(to)}`;
if (current === text) {
  console.log(`the tables of ${path} are up to date`);
} else if (process.argv.includes("--check")) {
  console.error(`stale: the tables of ${path}; run node systemd/generate/hardening-doc.ts`);
  process.exitCode = 1;
} else {
  writeFileSync(file, current);
  console.log(`wrote the tables of ${path}`);
}
