import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { type LintFinding, type LintUnitText, lintUnitTexts } from "../systemd/lints/lint-units.ts";

const help = `node bench/lint-debian.ts [--list] [ROOT...]

Lints every unit file of root directories (default: /), links included. An error-level finding makes it fail: no unit that
a distribution ships may have one. --list prints all warnings, not only how many there are of each rule.

  node bench/lint-debian.ts ~/.cache/pulumi-systemd/roots/*
`;

const systemdOfRelease: Readonly<Record<string, number>> = { bullseye: 247, bookworm: 252, trixie: 257 };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { list: { type: "boolean" }, help: { type: "boolean" } },
});
if (values.help === true) {
  process.stdout.write(help);
  process.exit();
}

function unitTexts(root: string): readonly LintUnitText[] {
  const texts = new Map<string, string>();
  for (const folder of ["usr/lib/systemd/system", "lib/systemd/system"]) {
    let names: readonly string[];
    try {
      names = readdirSync(join(root, folder));
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") continue;
      throw error;
    }
    for (const name of names) {
      const path = join(root, folder, name);
      const kind = statSync(path, { throwIfNoEntry: false });
      // A link to /dev/null masks the unit.
      if (kind === undefined || kind.isDirectory() || texts.has(name)) continue;
      texts.set(name, kind.isFile() ? readFileSync(path, "utf8") : "");
    }
  }
  return [...texts].map(([name, text]) => ({ name, text }));
}

const found = new Map<string, Map<string, LintFinding>>();
let errors = 0;
for (const root of positionals.length > 0 ? positionals : ["/"]) {
  const texts = unitTexts(root);
  const systemd = systemdOfRelease[basename(root).split("-")[0] ?? ""];
  const findings = lintUnitTexts(texts, { complete: true, systemd, now: new Date() });
  const of = (severity: string) => findings.filter((finding) => finding.severity === severity);
  errors += of("error").length;
  process.stdout.write(
    `${basename(root) || "/"}: ${texts.length} units: ${of("error").length} errors, ${of("warning").length} warnings, ${of("info").length} infos\n`,
  );
  for (const finding of findings) {
    const id = `${finding.severity} ${finding.rule}`;
    found.set(id, (found.get(id) ?? new Map()).set(`${finding.unit}: ${finding.message}`, finding));
  }
}
for (const [id, list] of [...found].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
  process.stdout.write(`${String(list.size).padStart(5)} ${id}\n`);
  const isShown = id.startsWith("error") || (values.list === true && id.startsWith("warning"));
  if (isShown) for (const text of list.keys()) process.stdout.write(`        ${text}\n`);
}
process.exitCode = errors > 0 ? 1 : 0;
