import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { lintUnitTexts } from "../systemd/lints/lint-units.ts";

// Lints 1,000 units (those of this machine, again and again under new names), parsing included, next to
// `systemd-analyze verify` of some of them, each in a process of its own, as a person runs it. CPU time of both, as others
// may use the machine.
const folder = "/usr/lib/systemd/system";
const count = 1000;
const asked = 20;

const shipped = readdirSync(folder)
  .filter((name) => /\.(service|timer|socket|path)$/.test(name) && statSync(join(folder, name)).isFile())
  .map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") }));
const texts = Array.from({ length: count }, (_, index) => {
  const { name, text } = shipped[index % shipped.length] ?? { name: "", text: "" };
  return { name: index < shipped.length ? name : name.replace(/(@?\.)/, `-${index}$1`), text };
});

const before = process.cpuUsage();
const start = performance.now();
const findings = lintUnitTexts(texts, { complete: true });
const ours = performance.now() - start;
const used = process.cpuUsage(before);
const oursCpu = (used.user + used.system) / 1000;

const plain = shipped.filter(({ name }) => !name.includes("@")).slice(0, asked);
const toolStart = performance.now();
for (const { name } of plain)
  spawnSync("systemd-analyze", ["verify", "--man=no", join(folder, name)], { stdio: "ignore" });
const theirs = ((performance.now() - toolStart) / plain.length) * count;

const text = [
  `${count} units, ${findings.length} findings: ${Math.round(ours)} ms (${Math.round(oursCpu)} ms of CPU), first run, parsing included`,
  `systemd-analyze verify, one process for each unit: ${Math.round(theirs)} ms for as many (measured on ${plain.length})`,
  `ratio ${(theirs / ours).toFixed(0)}`,
];
process.stdout.write(`${text.join("\n")}\n`);
