// How long a deployment takes: `npm run bench`. docs/speed.md has what it found.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { bootedHost, type SandboxHost } from "../../sandbox/host.ts";
import { removeAbandonedHosts } from "../../sandbox/removal.ts";
import { pulumiToolchain } from "../../setup/toolchain.ts";
import type { Contender } from "./contender.ts";
import { before, checkedAbsence, checkedState, type Invocations, restarted } from "./end-state.ts";
import { floor } from "./floor.ts";
import { pageWithResults } from "./page.ts";
import { ansible, peerPins, pyinfra } from "./peers.ts";
import { plotText } from "./plot.ts";
import { emptyRun, product, remoteCommands, unwatched } from "./pulumi-contenders.ts";
import { joinedResults, type Measured, type Results, resultsSchema } from "./results.ts";
import { tableText } from "./table.ts";
import { type Bundles, bundles, operations, parsedSize, type Size, sizeText } from "./workload.ts";

const contenders: readonly Contender[] = [emptyRun, floor, product, unwatched, pyinfra, remoteCommands, ansible];
const peers: readonly Contender[] = [pyinfra, remoteCommands, ansible];
const everySize = ["1x1", "1x20", "8x10"];
const repository = join(import.meta.dirname, "..", "..");
const resultsFolder = join(import.meta.dirname, "results");
const page = join(repository, "docs", "speed.md");

const help = `npm run bench [-- OPTIONS]

Deploys the same services to the same sandbox hosts by each contender in turn: first deploy, no-op, one directive changed,
destroy. After each operation the hosts are checked, so nobody is quick by not doing the work. Needs root and takes long.

  --sizes LIST        HOSTSxSERVICES, with commas between   (${everySize.join(",")})
  --only LIST         contenders: ${contenders.map(({ id }) => id).join(", ")}   (all)
  --runs N            runs of each contender, interleaved   (3)
  --peer-runs N       runs of ${peers.map(({ id }) => id).join(", ")}   (as --runs)
  --out FOLDER        for results.json, results.md and speed.svg   (bench/deploy/results, and the
                      tables of docs/speed.md, when all contenders run)
                      results of other sizes that are there already stay: each size is a measurement of its own
  --draw              run nothing: draw table and plot anew from results.json
`;

interface Options {
  readonly sizes: readonly Size[];
  readonly chosen: readonly Contender[];
  readonly runs: number;
  readonly peerRuns: number;
  readonly out: string | undefined;
  readonly draw: boolean;
}

function chosenOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      sizes: { type: "string", default: everySize.join(",") },
      only: { type: "string", default: contenders.map(({ id }) => id).join(",") },
      runs: { type: "string", default: "3" },
      "peer-runs": { type: "string" },
      out: { type: "string" },
      draw: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const wanted = values.only.split(",");
  const unknown = wanted.filter((id) => !contenders.some((contender) => contender.id === id));
  if (unknown.length > 0) {
    throw new Error(`--only ${unknown.join(",")}: the contenders are ${contenders.map(({ id }) => id).join(", ")}`);
  }
  const sizes = values.sizes.split(",").map(parsedSize);
  return {
    sizes,
    chosen: contenders.filter(({ id }) => wanted.includes(id)),
    runs: wholeNumber("--runs", values.runs),
    peerRuns: wholeNumber("--peer-runs", values["peer-runs"] ?? values.runs),
    out: values.out ?? (wanted.length === contenders.length || values.draw ? resultsFolder : undefined),
    draw: values.draw,
  };
}

function wholeNumber(option: string, text: string): number {
  if (!/^[1-9]\d?$/.test(text)) throw new Error(`${option} ${text}: write a number from 1 to 99`);
  return Number(text);
}

const print = (line: string) => process.stdout.write(`${line}\n`);

/** One contender once through all operations on clean hosts, which are clean again at the end. */
async function cycle(
  contender: Contender,
  size: Size,
  hosts: readonly SandboxHost[],
  wanted: Bundles,
  run: number,
): Promise<Measured[]> {
  const folder = mkdtempSync(join(tmpdir(), "pulumi-systemd-bench-"));
  const was = await Promise.all(hosts.map(before));
  const measured: Measured[] = [];
  try {
    const prepared = await contender.prepared({ size, hosts, bundles: wanted, folder, log: print });
    try {
      let ran: readonly Invocations[] = [];
      for (const operation of operations) {
        const load = Math.round((loadavg()[0] ?? 0) * 10) / 10;
        const cost = await prepared.run(operation);
        measured.push({ size: sizeText(size), contender: contender.id, run, operation, ...cost, load });
        print(`${sizeText(size)} ${contender.id} run ${run}: ${operation} ${cost.seconds.toFixed(2)} s (load ${load})`);
        if (contender.deploys && operation !== "destroy") {
          const bundle = wanted[operation === "change" ? 2 : 1];
          const now = await Promise.all(hosts.map((host) => checkedState(host, bundle)));
          ran.forEach((earlier, index) => {
            checkRestarts(operation === "change" ? [bundle.units[0]!.name] : [], restarted(earlier, now[index]!));
          });
          ran = now;
        }
      }
    } finally {
      await prepared.end();
    }
    await Promise.all(hosts.map((host, index) => checkedAbsence(host, was[index]!)));
    return measured;
  } catch (error) {
    throw new Error(`${contender.id}, ${sizeText(size)}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function checkRestarts(wanted: readonly string[], found: readonly string[]): void {
  if (wanted.join() !== found.join()) {
    throw new Error(
      `restarted ${found.join(", ") || "nothing"} where it is ${wanted.join(", ") || "nothing"} that changed`,
    );
  }
}

/** Measures each size; `found` gets the results of one as soon as it is done. */
async function measure({ sizes, chosen, runs, peerRuns }: Options, found: (results: Results) => void): Promise<void> {
  const { env, version } = await pulumiToolchain(print);
  Object.assign(process.env, env);
  delete process.env.PULUMI_ACCESS_TOKEN;
  const number = Math.max(...sizes.map(({ hosts }) => hosts));
  const booted = await Promise.allSettled(Array.from({ length: number }, () => bootedHost({ release: "bookworm" })));
  const hosts = booted.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  try {
    for (const result of booted) if (result.status === "rejected") throw result.reason;
    const about = {
      date: new Date().toISOString().slice(0, 10),
      machine: {
        processors: cpus().length,
        model: cpus()[0]?.model ?? "",
        gigabytes: Math.round(totalmem() / 2 ** 30),
        kernel: release().split("-")[0] ?? "",
      },
      versions: {
        pulumi: version,
        node: process.version.slice(1),
        ...Object.fromEntries(peerPins.map((pin) => pin.split("==") as [string, string])),
        systemd: (await hosts[0]!.output("systemctl --version")).split(" ")[1] ?? "",
      },
    };
    // Not counted: what a first run compiles and caches.
    const smallest = { hosts: 1, services: 1 };
    const little = await bundles(smallest, hosts.slice(0, 1), repository);
    for (const contender of chosen) await cycle(contender, smallest, hosts.slice(0, 1), little, 0);
    for (const size of sizes) {
      const own = hosts.slice(0, size.hosts);
      const measured: Measured[] = [];
      const wanted = await bundles(size, own, repository);
      for (let run = 1; run <= Math.max(runs, peerRuns); run++) {
        const first = (run - 1) % chosen.length;
        for (const contender of [...chosen.slice(first), ...chosen.slice(0, first)]) {
          if (run > (peers.includes(contender) ? peerRuns : runs)) continue;
          measured.push(...(await cycle(contender, size, own, wanted, run)));
        }
      }
      found({
        sizes: { [sizeText(size)]: about },
        contenders: contenders.map(({ id, title }) => ({ id, title })),
        measured,
      });
    }
  } finally {
    await Promise.all(hosts.map((host) => host.down()));
  }
}

function earlierResults(folder: string): Results | undefined {
  const path = join(folder, "results.json");
  return existsSync(path) ? resultsSchema.parse(JSON.parse(readFileSync(path, "utf8"))) : undefined;
}

async function main(): Promise<void> {
  const options = chosenOptions();
  if (options === undefined) {
    process.stdout.write(help);
    return;
  }
  const { out, draw } = options;
  if (!draw) await removeAbandonedHosts(print);
  let results = out === undefined ? undefined : earlierResults(out);
  if (draw) writeResults(out, results);
  else {
    await measure(options, (found) => {
      results = joinedResults(results, found);
      writeResults(out, results);
    });
  }
  if (results === undefined) throw new Error(`there is no results.json in ${out} to draw from`);
  print(`\n${tableText(results)}`);
}

function writeResults(folder: string | undefined, results: Results | undefined): void {
  if (folder === undefined || results === undefined) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "results.json"), `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(join(folder, "results.md"), `${tableText(results)}\n`);
  writeFileSync(join(folder, "speed.svg"), plotText(results));
  if (folder === resultsFolder) writeFileSync(page, pageWithResults(readFileSync(page, "utf8"), results));
}

await main().catch((error: unknown) => {
  process.stderr.write(`npm run bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
