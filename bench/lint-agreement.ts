import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type LintFinding, lintUnitTexts } from "../systemd/lints/lint-units.ts";

const help = `node bench/lint-agreement.ts [--host NAME]... [--write]

Compares lintUnits with \`systemd-analyze verify\` on test/systemd/lints/corpus: broken units with one mistake each.
Without --host the tool of this machine is asked; --host asks a sandbox host that is up (npm run host -- up NAME).
--write puts the table into docs/lints.md.
`;

const corpus = join(import.meta.dirname, "../test/systemd/lints/corpus");
const page = join(import.meta.dirname, "../docs/lints.md");

interface Case {
  readonly name: string;
  readonly mistake: string;
  readonly files: readonly { readonly name: string; readonly text: string }[];
}

/** What the real tool says of one case. */
interface Verdict {
  readonly exitCode: number;
  readonly lines: readonly string[];
}

interface Tool {
  readonly systemd: number;
  readonly verdicts: ReadonlyMap<string, Verdict>;
}

function cases(): readonly Case[] {
  const told: Record<string, { readonly mistake: string }> = JSON.parse(
    readFileSync(join(corpus, "cases.json"), "utf8"),
  );
  return Object.entries(told).map(([name, { mistake }]) => ({
    name,
    mistake,
    files: readdirSync(join(corpus, name)).map((file) => ({
      name: file,
      text: readFileSync(join(corpus, name, file), "utf8"),
    })),
  }));
}

/** A shell script that asks systemd-analyze of every case and separates the answers. */
function script(all: readonly Case[]): string {
  const parts = all.map(({ name, files }) => {
    const writes = files.map(
      (file) => `printf %s ${Buffer.from(file.text).toString("base64")} | base64 -d > ${file.name}`,
    );
    return [
      'rm -rf "$d/c"; mkdir "$d/c"; cd "$d/c"',
      ...writes,
      `echo "== ${name}"`,
      'systemd-analyze verify --man=no --recursive-errors=no "$d"/c/* 2>&1 </dev/null',
      'echo "== exit $?"',
    ].join("\n");
  });
  const head =
    'd=$(mktemp -d); export SYSTEMD_COLORS=0; systemd-analyze --version </dev/null | head -1; echo "== dir $d/c/"';
  return [head, ...parts, 'cd /; rm -rf "$d"'].join("\n");
}

function asked(all: readonly Case[], host: string | undefined): Tool {
  const command =
    host === undefined ? ["bash", "-s"] : [process.execPath, "sandbox/cli.ts", "ssh", host, "sudo", "bash", "-s"];
  const [program = "bash", ...words] = command;
  const run = spawnSync(program, words, { input: script(all), encoding: "utf8", maxBuffer: 1 << 26 });
  const systemd = Number(/^systemd (\d+)/m.exec(run.stdout)?.[1]);
  if (!Number.isInteger(systemd)) throw new Error(`systemd-analyze did not answer: ${run.stderr.slice(-500)}`);
  const folder = /^== dir (.*)$/m.exec(run.stdout)?.[1] ?? "";
  const verdicts = new Map<string, Verdict>();
  let name = "";
  let lines: string[] = [];
  for (const line of run.stdout.replaceAll(folder, "").split("\n")) {
    const exit = /^== exit (\d+)$/.exec(line)?.[1];
    if (exit !== undefined) verdicts.set(name, { exitCode: Number(exit), lines });
    else if (line.startsWith("== ")) [name, lines] = [line.slice(3), []];
    else if (line !== "") lines.push(line);
  }
  return { systemd, verdicts };
}

/** What a message needs to know of the host: its files and its other units. */
function isOfHost(line: string): boolean {
  return /Command .* is not executable: (No such file|Permission)|^Unit .* not found\.$/.test(line);
}

/** A message that only sums up what another one says. */
function isSummary(line: string): boolean {
  return /has a bad unit file setting|Unit configuration has fatal error|failed to load properly/.test(line);
}

function isReported(line: string, findings: readonly LintFinding[]): boolean {
  const [, unit, number] = /^([^\s:]+\.[a-z]+)(?::(\d+))?: /.exec(line) ?? [];
  // A mere info is no answer to a refusal of the tool; nor is a finding of another unit.
  const ofUnit = findings.filter(
    (finding) => (unit === undefined || finding.unit === unit) && (number !== undefined || finding.severity !== "info"),
  );
  return number === undefined ? ofUnit.length > 0 : ofUnit.some((finding) => finding.line === Number(number));
}

function shortened(text: string): string {
  const plain = text.replaceAll("|", "\\|").replaceAll(/[<>]/g, (character) => (character === "<" ? "&lt;" : "&gt;"));
  return plain.length > 110 ? `${plain.slice(0, 107)}...` : plain;
}

const { values } = parseArgs({
  options: { host: { type: "string", multiple: true }, write: { type: "boolean" }, help: { type: "boolean" } },
});
if (values.help === true) {
  process.stdout.write(help);
  process.exit();
}

const all = cases();
const tools = [undefined, ...(values.host ?? [])]
  .map((host) => asked(all, host))
  .toSorted((a, b) => a.systemd - b.systemd);
const rows: string[] = [];
const missed: string[] = [];
const sums = tools.map(({ systemd, verdicts }) => {
  let [told, foundToo, onlyOurs, passed] = [0, 0, 0, 0];
  for (const { name, files } of all) {
    const { lines, exitCode } = verdicts.get(name) ?? { lines: [], exitCode: 0 };
    const findings = lintUnitTexts(files, { complete: true, systemd, now: new Date() });
    const relevant = lines.filter((line) => !isOfHost(line) && !isSummary(line));
    const unreported = relevant.filter((line) => !isReported(line, findings));
    for (const line of unreported) missed.push(`${systemd} ${name}: ${line}`);
    if (relevant.length > 0) {
      told += 1;
      if (unreported.length === 0) foundToo += 1;
      if (exitCode === 0) passed += 1;
    } else if (findings.length > 0) onlyOurs += 1;
  }
  return { systemd, told, foundToo, onlyOurs, passed };
});

for (const { name, mistake, files } of all) {
  const findings = lintUnitTexts(files, { complete: true, systemd: tools[0]?.systemd, now: new Date() });
  const worst = ["error", "warning", "info"].find((severity) =>
    findings.some((finding) => finding.severity === severity),
  );
  const rules = [...new Set(findings.filter(({ severity }) => severity === worst).map(({ rule }) => `\`${rule}\``))];
  const cells = tools.map(({ verdicts }) => {
    const line = verdicts.get(name)?.lines.find((text) => !isOfHost(text) && !isSummary(text));
    return line === undefined ? "-" : shortened(line.replace(/^[^\s:]+\.[a-z]+:(\d+:)? /, ""));
  });
  rows.push(`| ${shortened(mistake)} | ${cells.join(" | ")} | ${worst ?? "-"}: ${rules.join(" ")} |`);
}

const summary = sums.map(
  ({ systemd, told, foundToo, onlyOurs, passed }) =>
    `- systemd ${systemd}: of ${all.length} broken units the tool has something to say of ${told} (and exits 0 on ${passed} of those); ` +
    `we report all that it says for ${foundToo} of ${told}. It is silent on ${all.length - told}; we find ${onlyOurs} of those.`,
);
const heading = tools.map(({ systemd }) => `\`verify\` of ${systemd}`);
const table = [`| mistake | ${heading.join(" | ")} | lint |`, `|---|${"---|".repeat(tools.length + 1)}`, ...rows];
const text = [...summary, "", ...table].join("\n");

process.stdout.write(`${summary.join("\n")}\n`);
for (const line of missed) process.stdout.write(`not reported by us: ${line}\n`);
if (values.write === true) {
  const [before, , after] = readFileSync(page, "utf8").split(/(<!-- agreement -->[\s\S]*<!-- end of agreement -->)/);
  if (after === undefined) throw new Error("docs/lints.md has no <!-- agreement --> part");
  writeFileSync(page, `${before}<!-- agreement -->\n${text}\n<!-- end of agreement -->${after}`);
}
process.exitCode = missed.length > 0 ? 1 : 0;
