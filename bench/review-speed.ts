/**
 * How long a review of a large stack takes: `node setup/run.mjs bench/review-speed.ts [HOSTS] [UNITS] [ROUNDS]` (100 hosts of 20
 * units and 3 rounds by default).
 *
 * It makes a repository of one commit and a change after it, and reviews that with the policies of prod, the Markdown and the
 * page written: once where all hosts have the same definitions, once where each host has definitions of its own. It prints the
 * shortest time of a clock, and the most memory that the command and the two programs that it runs had together; on a busy
 * machine the time of a clock says little.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { processMemories } from "./process-memory.ts";

const root = join(import.meta.dirname, "..");
const [hosts = 100, units = 20, rounds = 3] = process.argv.slice(2).map(Number);
const shapes = ["definitions of their own", "the same definitions"] as const;

console.log(`${hosts} hosts of ${units} units, ${rounds} rounds, ${cpus().length} processors`);
for (const shape of shapes) {
  const folder = mkdtempSync(join(tmpdir(), "pulumi-systemd-bench-"));
  try {
    writeRepository(folder, shape);
    const runs: Run[] = [];
    for (let round = 0; round < rounds; round += 1) runs.push(await reviewed(folder));
    const time = Math.min(...runs.map(({ ms }) => ms)) / 1000;
    const memory = Math.max(...runs.map(({ bytes }) => bytes)) / 2 ** 20;
    const load = loadavg()[0]?.toFixed(1);
    console.log(`hosts with ${shape}: ${time.toFixed(1)} s, ${memory.toFixed(0)} MiB, load ${load}`);
    console.log(`  ${runs[0]?.headline}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Run {
  readonly ms: number;
  /** The most that was in memory at a time. */
  readonly bytes: number;
  readonly headline: string;
}

function writeRepository(folder: string, shape: (typeof shapes)[number]): void {
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", folder, "-c", "user.name=bench", "-c", "user.email=bench@example.org", ...args]);
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  mkdirSync(join(folder, "out"));
  writeFileSync(join(folder, ".gitignore"), "/node_modules\n/out\n");
  writeFileSync(join(folder, "package.json"), '{ "name": "bench", "type": "module", "private": true }');
  writeFileSync(
    join(folder, "Pulumi.yaml"),
    "name: bench\nmain: index.ts\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n",
  );
  writeFileSync(join(folder, "Pulumi.prod.yaml"), "config: {}\n");
  writeProgram(folder, shape, "30s");
  git("init", "--quiet");
  git("add", "--all");
  git("commit", "--quiet", "--message=before");
  writeProgram(folder, shape, "60s");
}

/** A service in four, a timer in four with its service, and the rest services; the first service of each host changes. */
function writeProgram(folder: string, shape: (typeof shapes)[number], watchdogSec: string): void {
  writeFileSync(
    join(folder, "index.ts"),
    `import { Host, Service, Timer } from ${JSON.stringify(join(root, "components/index.ts"))};
const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0Yz7Ykq1hW0pXvQ2rS3tU4vW5xY6zA7bC8dE9fG0h1";
const service = { MemoryMax: "512M" };
function definitions(prefix) {
  const first = new Service(prefix + "api", { exec: ["/usr/bin/api"], type: "notify", watchdogSec: "${watchdogSec}", service });
  const timers = Array.from({ length: ${Math.floor(units / 4)} }, (_, index) =>
    new Timer(prefix + "job" + index, { onCalendar: "*-*-* 03:00:00", randomizedDelaySec: "10min", service: { exec: ["/usr/bin/job", String(index)], service } }));
  const rest = Array.from({ length: ${units - 1 - 2 * Math.floor(units / 4)} }, (_, index) =>
    new Service(prefix + "worker" + index, { exec: ["/usr/bin/worker", String(index)], service }));
  return [first, ...timers, ...rest];
}
const shared = ${shape === "the same definitions"} ? definitions("") : undefined;
for (let index = 0; index < ${hosts}; index += 1) {
  const units = shared ?? definitions("h" + index + "-");
  new Host("web" + index, { connection: { host: "web" + index + ".example.org", hostKey }, units });
}
`,
  );
}

function reviewed(folder: string): Promise<Run> {
  const out = (name: string) => join(folder, "out", name);
  const config = join(root, "policies/config/prod.json");
  const args = ["--stack", "prod", "--policy-pack-config", config, "--markdown", out("r.md"), "--html", out("r.html")];
  const began = performance.now();
  const child = spawn(process.execPath, [join(root, "cli/main.ts"), "review", ...args], {
    cwd: folder,
    stdio: ["ignore", "inherit", "inherit"],
  });
  let bytes = 0;
  const look = setInterval(() => {
    bytes = Math.max(bytes, child.pid === undefined ? 0 : residentBytes(child.pid));
  }, 50);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => {
      clearInterval(look);
      const ms = performance.now() - began;
      if (code !== 0) reject(new Error(`review ended with ${code}`));
      else resolve({ ms, bytes, headline: readFileSync(out("r.md"), "utf8").split("\n")[0] ?? "" });
    });
  });
}

/** Memory of a process and of those that it started. */
function residentBytes(pid: number): number {
  return processMemories(pid).reduce((sum, { bytes }) => sum + bytes, 0);
}
