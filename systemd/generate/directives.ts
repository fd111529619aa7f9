/**
 * Writes the generated files of the directive table from systemd/data/directives.json:
 * `node systemd/generate/directives.ts` writes what differs, with `--check` it only tells, and ends with status 1.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { argumentInterfaces } from "./argument-interfaces.ts";
import { directiveData } from "./data.ts";
import { directiveInterfaces } from "./directive-interfaces.ts";
import { directiveTable, nameTable } from "./directive-table.ts";

const root = new URL("../../", import.meta.url);
const data = directiveData(readFileSync(new URL("systemd/data/directives.json", root), "utf8"));

const files: Readonly<Record<string, string>> = {
  "systemd/directives.generated.ts": directiveTable(data),
  "systemd/directive-names.generated.ts": nameTable(data),
  "systemd/sections.generated.ts": directiveInterfaces(data),
  "components/section-args.generated.ts": argumentInterfaces(data),
};

const stale = Object.keys(files).filter((path) => textOf(path) !== files[path]);
if (stale.length === 0) {
  console.log("the generated directive files are up to date");
} else if (process.argv.includes("--check")) {
  console.error(
    `stale: ${stale.join(", ")} differ from systemd/data/directives.json; run node systemd/generate/directives.ts`,
  );
  process.exitCode = 1;
} else {
  for (const path of stale) {
    writeFileSync(new URL(path, root), files[path] ?? "");
    console.log(`wrote ${path}`);
  }
}

function textOf(path: string): string | undefined {
  const file = fileURLToPath(new URL(path, root));
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}
