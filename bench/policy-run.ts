/**
 * What a policy run adds to a preview: `node setup/run.mjs bench/policy-run.ts [SERVICES] [ROUNDS]` (20 and 5 by default).
 *
 * It previews a stack of that many services on two hosts, with the pack and without it in turns, and prints the shortest and
 * the middle time of each. Then it starts the pack alone, as Pulumi does, and prints the processor time until it serves: that
 * is steady on a busy machine, where times of a clock are not.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { pulumiToolchain } from "../setup/toolchain.ts";

const root = join(import.meta.dirname, "..");
const [services = 20, rounds = 5] = process.argv.slice(2).map(Number);
const pack = join(root, "policies");

const toolchain = await pulumiToolchain(console.error);
const folder = mkdtempSync(join(tmpdir(), "pulumi-systemd-bench-"));
const env = {
  ...process.env,
  ...toolchain.env,
  PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
  PULUMI_CONFIG_PASSPHRASE: "bench",
  PULUMI_SKIP_UPDATE_CHECK: "true",
};
try {
  writeProgram();
  run("stack", "init", "dev");
  const config = ["--policy-pack-config", join(pack, "config/prod.json")];
  const without: number[] = [];
  const withPack: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const plain = run("preview");
    const gated = run("preview", "--policy-pack", pack, ...config);
    // The first round fills caches.
    if (round === 0) continue;
    without.push(plain);
    withPack.push(gated);
  }
  const starts: number[] = [];
  for (let round = 0; round < rounds; round += 1) starts.push(await startTime());
  console.log(
    `${services} services on 2 hosts, ${rounds} rounds, ${cpus().length} processors, load ${loadavg()[0]?.toFixed(1)}`,
  );
  console.log(`preview without the pack: shortest ${seconds(least(without))}, middle ${seconds(middle(without))}`);
  console.log(`preview with the pack:    shortest ${seconds(least(withPack))}, middle ${seconds(middle(withPack))}`);
  console.log(`it adds:                  shortest ${seconds(least(withPack) - least(without))}`);
  console.log(`processor time until the pack serves: ${seconds(least(starts))}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function writeProgram(): void {
  mkdirSync(join(folder, "state"));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "package.json"), '{ "name": "bench", "type": "module", "private": true }');
  writeFileSync(
    join(folder, "Pulumi.yaml"),
    "name: bench\nmain: index.ts\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n",
  );
  writeFileSync(
    join(folder, "index.ts"),
    `import { Host, Service } from ${JSON.stringify(join(root, "components/index.ts"))};
const units = Array.from({ length: ${services} }, (_, index) =>
  new Service(\`api\${index}\`, { exec: ["/usr/bin/api"], watchdogSec: "30s", service: { MemoryMax: "512M" } }));
const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0Yz7Ykq1hW0pXvQ2rS3tU4vW5xY6zA7bC8dE9fG0h1";
for (const name of ["web1", "web2"]) new Host(name, { connection: { host: "127.0.0.1", hostKey }, units });
`,
  );
}

/** Milliseconds of one run of the CLI. */
function run(...args: string[]): number {
  const began = performance.now();
  const { status, stdout, stderr } = spawnSync("pulumi", [...args, "--non-interactive"], {
    cwd: folder,
    env,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`pulumi ${args.join(" ")} failed:\n${stdout}${stderr}`);
  return performance.now() - began;
}

/** Milliseconds of processor time that the pack takes until it serves. */
function startTime(): Promise<number> {
  return new Promise((resolve, reject) => {
    const launcher = join(root, "node_modules/@pulumi/pulumi/cmd/run-policy-pack/index.js");
    const child: ChildProcess = spawn(process.execPath, [launcher, "127.0.0.1:1", "."], { cwd: pack });
    child.on("error", reject);
    child.stdout?.once("data", () => {
      const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
      child.kill();
      // In ticks of 10 ms, of the process in user and in system mode.
      child.once("close", () => resolve((Number(fields[11]) + Number(fields[12])) * 10));
    });
  });
}

function least(times: readonly number[]): number {
  return Math.min(...times);
}

function middle(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
