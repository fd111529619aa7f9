import { globSync, mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join, sep } from "node:path";
import { parseArgs } from "node:util";
import { sandboxUnavailableReason } from "../sandbox/availability.ts";
import { removeAbandonedHosts } from "../sandbox/removal.ts";
import { pulumiToolchain } from "../setup/toolchain.ts";
import { checkCounts, lintChecks, typeChecks } from "./checks.ts";
import { type Counts, countsText, noCounts, totalCounts } from "./counts.ts";
import { nodeTestCounts } from "./node-tests.ts";
import { pythonTestCounts } from "./python-tests.ts";
import { groupedTestCounts } from "./test-groups.ts";

const stageNames = ["types", "lint", "unit", "python", "engine", "hosts"] as const;
type StageName = (typeof stageNames)[number];

const help = `npm test [-- OPTIONS]

Everything: types, lint, unit tests (TypeScript and Python), tests that run the Pulumi CLI (test/engine/), and tests on
real hosts (test/hosts/). The last line is the sum: N passed, N failed[, N skipped].

  --unit             only the fast tests: unit and python; needs no root and no toolchain (npm run test:unit)
  --only STAGE,...   only these stages: ${stageNames.join(", ")}
  --filter TEXT      only tests whose name holds TEXT (stages unit, python, engine and hosts)
  --verbose          name each test that passes, not only those on hosts
`;

const top = join(import.meta.dirname, "..");
const print = (line: string) => process.stdout.write(`${line}\n`);
const abort = new AbortController();

interface Selection {
  stages: readonly StageName[];
  filter: string | undefined;
  verbose: boolean;
}

function selection(): Selection | undefined {
  const { values } = parseArgs({
    options: {
      unit: { type: "boolean" },
      only: { type: "string" },
      filter: { type: "string" },
      verbose: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help === true) return undefined;
  const stages = values.unit === true ? (["unit", "python"] as const) : named(values.only);
  const isTest = (stage: StageName) => stage !== "types" && stage !== "lint";
  return {
    stages: values.filter === undefined ? stages : stages.filter(isTest),
    filter: values.filter,
    verbose: values.verbose ?? false,
  };
}

function named(only: string | undefined): readonly StageName[] {
  if (only === undefined) return stageNames;
  return only.split(",").map((word) => {
    const stage = stageNames.find((name) => name === word);
    if (stage === undefined) throw new Error(`--only ${word}: the stages are ${stageNames.join(", ")}`);
    return stage;
  });
}

const isIn = (folder: string) => (file: string) => file.startsWith(join(top, "test", folder) + sep);
const onHosts = isIn("hosts");
const withEngine = isIn("engine");

function testFiles(wanted: (file: string) => boolean): string[] {
  return globSync("test/**/*.test.ts", { cwd: top })
    .map((file) => join(top, file))
    .filter(wanted)
    .sort();
}

/** Tests of pure functions leave nothing behind, so those of one folder share a process; all others have their own. */
function groupOf(file: string): string {
  return isIn("systemd")(file) ? dirname(file) : file;
}

function pythonTestFolders(): string[] {
  return [
    ...new Set(globSync("test/**/test_*.py", { cwd: top }).map((file) => file.slice(0, file.lastIndexOf(sep)))),
  ].sort();
}

async function stageCounts(stage: StageName, { filter, verbose }: Selection): Promise<Counts> {
  const narrowed = { print, signal: abort.signal, ...(filter === undefined ? {} : { filter }) };
  switch (stage) {
    case "types":
    case "lint": {
      const checks = stage === "types" ? typeChecks : lintChecks(top, print);
      const counts: Counts[] = [];
      for (const check of checks) counts.push(await checkCounts(top, check, print));
      return totalCounts(counts);
    }
    case "unit": {
      const files = testFiles((file) => !onHosts(file) && !withEngine(file));
      const groups = [...Map.groupBy(files, groupOf).values()];
      return groupedTestCounts({ ...narrowed, groups, concurrency: availableParallelism(), timeoutSec: 300, verbose });
    }
    case "python":
      return totalCounts(
        await Promise.all(pythonTestFolders().map((folder) => pythonTestCounts(folder, filter, print))),
      );
    case "engine": {
      const files = testFiles(withEngine);
      if (files.length === 0) return noCounts;
      if (!(await setUpToolchain())) return { passed: 0, failed: files.length, skipped: 0 };
      return nodeTestCounts({ ...narrowed, files, concurrency: 2, timeoutSec: 900, verbose });
    }
    case "hosts": {
      const files = testFiles(onHosts);
      if (files.length === 0) return noCounts;
      const reason = sandboxUnavailableReason();
      if (reason !== undefined) return withoutHosts(files.length, reason);
      if (!(await setUpToolchain())) return { passed: 0, failed: files.length, skipped: 0 };
      try {
        return await nodeTestCounts({ ...narrowed, files, concurrency: 2, timeoutSec: 1800, verbose: true });
      } finally {
        await removeAbandonedHosts(print);
      }
    }
  }
}

/** One for each file of host tests: none of them was run. */
function withoutHosts(files: number, reason: string): Counts {
  if (process.env.CI === "true") {
    print(`FAILED the ${files} files of tests on real hosts cannot run, and CI=true: ${reason}`);
    return { passed: 0, failed: files, skipped: 0 };
  }
  print(`skipped the ${files} files of tests on real hosts: ${reason}`);
  return { passed: 0, failed: 0, skipped: files };
}

let toolchain: Promise<boolean> | undefined;

/** Puts the Pulumi toolchain into this process's environment, with a backend that is not the user's. */
function setUpToolchain(): Promise<boolean> {
  toolchain ??= (async () => {
    try {
      const { env, version, source } = await pulumiToolchain(print);
      print(`Pulumi ${version} (${source})`);
      const state = mkdtempSync(join(tmpdir(), "pulumi-systemd-test-"));
      process.on("exit", () => rmSync(state, { recursive: true, force: true }));
      Object.assign(process.env, env, { PULUMI_BACKEND_URL: `file://${state}`, PULUMI_CONFIG_PASSPHRASE: "test" });
      delete process.env.PULUMI_ACCESS_TOKEN;
      return true;
    } catch (error) {
      print(`FAILED the Pulumi toolchain: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
  })();
  return toolchain;
}

async function main(): Promise<void> {
  const selected = selection();
  if (selected === undefined) {
    process.stdout.write(help);
    return;
  }
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => abort.abort());
  const all: Counts[] = [];
  for (const stage of selected.stages) {
    if (abort.signal.aborted) break;
    const started = Date.now();
    print(`== ${stage}`);
    const counts = await stageCounts(stage, selected).catch((error: unknown): Counts => {
      print(`FAILED ${stage}: ${error instanceof Error ? error.stack : String(error)}`);
      return { passed: 0, failed: 1, skipped: 0 };
    });
    print(`== ${stage}: ${countsText(counts)} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
    all.push(counts);
  }
  const total = totalCounts(all);
  if (abort.signal.aborted) {
    print("interrupted: what was not run is not counted");
    process.exitCode = 130;
  } else if (total.failed > 0 || total.passed + total.skipped === 0) {
    process.exitCode = 1;
  }
  if (total.passed + total.failed + total.skipped === 0 && selected.filter !== undefined) {
    print(`no test has a name that holds "${selected.filter}"`);
  }
  print(countsText(total));
}

process.chdir(top);
await main().catch((error: unknown) => {
  print(`npm test: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
});
