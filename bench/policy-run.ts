/**
 * What a policy run adds to a preview: `node setup/run.mjs bench/policy-run.ts [SERVICES] [ROUNDS]` (20 and 5 by default).
 *
 * It previews a stack of that many services on two hosts, without a pack, with one that has no policy, and with ours in turns,
 * and prints the shortest and the middle time of each, by the clock and of the processors: what the empty pack adds is
 * Pulumi's. Then it starts the pack alone, as Pulumi does, and prints the processor time until it serves, with and without a
 * compile cache of Node for all of Pulumi's SDK. Times of processors are steady on a busy machine, where times of a clock are
 * not.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { pulumiToolchain } from "../setup/toolchain.ts";

const root = join(import.meta.dirname, "..");
const [services = 20, rounds = 5] = process.argv.slice(2).map(Number);
const pack = join(root, "policies");

const toolchain = await pulumiToolchain(console.error);
const folder = mkdtempSync(join(tmpdir(), "pulumi-systemd-bench-"));
const emptyPack = join(folder, "empty");
const env = {
  ...process.env,
  ...toolchain.env,
  PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
  PULUMI_CONFIG_PASSPHRASE: "bench",
  PULUMI_SKIP_UPDATE_CHECK: "true",
};
try {
  writeProgram();
  await run("stack", "init", "dev");
  const config = ["--policy-pack-config", join(pack, "config/prod.json")];
  const without: Times[] = [];
  const withEmpty: Times[] = [];
  const withPack: Times[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const plain = await run("preview");
    const empty = await run("preview", "--policy-pack", emptyPack);
    const gated = await run("preview", "--policy-pack", pack, ...config);
    // The first round fills caches.
    if (round === 0) continue;
    without.push(plain);
    withEmpty.push(empty);
    withPack.push(gated);
  }
  const starts: number[] = [];
  const cached: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const [plain, quick] = [await startTime({}), await startTime({ NODE_COMPILE_CACHE: join(folder, "cache") })];
    if (round === 0) continue;
    starts.push(plain);
    cached.push(quick);
  }
  console.log(
    `${services} services on 2 hosts, ${rounds} rounds, ${cpus().length} processors, load ${loadavg()[0]?.toFixed(1)}`,
  );
  for (const kind of ["clock", "processors"] as const) {
    const plain = without.map((times) => times[kind]);
    console.log(`${kind}: without a pack ${shown(plain)}`);
    for (const [name, times] of [
      ["a pack without policies", withEmpty],
      ["the pack", withPack],
    ] as const) {
      const more = times.map((one) => one[kind]);
      const added = [least, middle].map((of) => seconds(of(more) - of(plain)));
      console.log(`${kind}: with ${name} ${shown(more)}, which adds ${added.join(" to ")}`);
    }
  }
  console.log(`processors until the pack serves: ${shown(starts)}; with NODE_COMPILE_CACHE ${shown(cached)}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function writeProgram(): void {
  mkdirSync(join(folder, "state"));
  mkdirSync(emptyPack);
  writeFileSync(join(emptyPack, "PulumiPolicy.yaml"), "runtime: nodejs\nmain: index.js\n");
  writeFileSync(join(emptyPack, "package.json"), '{ "name": "empty", "version": "0.1.0", "main": "index.js" }');
  const content = 'const { PolicyPack } = require("@pulumi/policy");\nnew PolicyPack("empty", { policies: [] });\n';
  writeFileSync(join(emptyPack, "index.js"), content);
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

/** Milliseconds by the clock, and of processors in all processes together. */
interface Times {
  readonly clock: number;
  readonly processors: number;
}

/** One run of the CLI. */
function run(...args: string[]): Promise<Times> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    // In a session of its own, by which its plugins are known.
    const child = spawn("pulumi", [...args, "--non-interactive"], { cwd: folder, env, detached: true });
    const output: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => output.push(chunk));
    const used = new Map<string, number>();
    const look = () => {
      for (const [pid, time] of processorTimes(child.pid)) used.set(pid, time);
    };
    const looking = setInterval(look, 20);
    child.on("error", reject);
    child.on("exit", look);
    child.on("close", (code) => {
      clearInterval(looking);
      if (code !== 0) reject(new Error(`pulumi ${args.join(" ")} failed:\n${Buffer.concat(output)}`));
      const processors = [...used.values()].reduce((sum, time) => sum + time, 0);
      resolve({ clock: performance.now() - began, processors });
    });
  });
}

/** Milliseconds of processors that each process of a session has used, by its id. */
function processorTimes(session: number | undefined): (readonly [pid: string, ms: number])[] {
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    const fields = statFields(pid);
    return Number(fields[3]) === session ? [[pid, usedTime(fields)] as const] : [];
  });
}

/** What /proc/PID/stat says behind the name, from the state on; nothing of a process that is gone. */
function statFields(pid: number | string | undefined): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  } catch {
    return [];
  }
}

/** In user and in system mode; the fields are in ticks of 10 ms. */
function usedTime(fields: readonly string[]): number {
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Milliseconds of processor time that the pack takes until it serves. */
function startTime(more: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    const launcher = join(root, "node_modules/@pulumi/pulumi/cmd/run-policy-pack/index.js");
    const child: ChildProcess = spawn(process.execPath, [launcher, "127.0.0.1:1", "."], {
      cwd: pack,
      env: { ...process.env, ...more },
    });
    child.on("error", reject);
    child.stdout?.once("data", () => {
      const used = usedTime(statFields(child.pid));
      child.kill();
      child.once("close", () => resolve(used));
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

function shown(times: readonly number[]): string {
  return `${seconds(least(times))} to ${seconds(middle(times))}`;
}
