/**
 * `npm run test:mutation -- [--only FILE]...`: StrykerJS changes the policies in one place at a time (an operator, a condition,
 * a text) and runs the tests that reach the place. A change that no test notices, and the compiler neither, has survived: a test is
 * missing, or the change makes no difference, which test/mutation/equivalent.json then explains. Prints the counts of each file and
 * every survivor, and ends with 1 where one is not explained. Stryker is no dependency: npx fetches it.
 */
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { commandResult } from "../../setup/command.ts";
import { refusedByCompiler } from "./compiler.ts";
import { equivalents, hasSurvived, type Mutant, mutationReport, printedReport, unexplained } from "./report.ts";

const version = "10.0.0";
const root = join(import.meta.dirname, "../..");
const { values } = parseArgs({ options: { only: { type: "string", multiple: true } } });

/** What decides nothing: the lists of the policies, which the tests with the real CLI run whole. */
const leftOut = ["policies/pack.ts", "policies/commands/pack.ts"];
/** Tests of other things than the policies' decisions: the bundle, the config files, a page of the documentation. */
const otherTests = /\/(bundle|environments|articles)\.test\.ts$/;

const files = values.only ?? globSync("policies/**/*.ts", { cwd: root, exclude: [...leftOut, "**/*.d.ts"] }).sort();
const tests = globSync("test/policies/**/*.test.ts", { cwd: root }).filter((file) => !otherTests.test(file));
/** Takes longer than all other tests together, so it is run for the file alone that it is about. */
const lintRules = { file: "policies/lint-rules.ts", test: "test/policies/lint-rules.test.ts" };
const parts: readonly Part[] = [
  { files: files.filter((file) => file !== lintRules.file), tests: tests.filter((test) => test !== lintRules.test) },
  { files: files.filter((file) => file === lintRules.file), tests: [lintRules.test] },
];

const folder = mkdtempSync(join(tmpdir(), "mutation-"));
try {
  const mutants: Mutant[] = [];
  for (const part of parts) if (part.files.length > 0) mutants.push(...(await mutantsOf(part)));
  const known = equivalents(JSON.parse(readFileSync(join(import.meta.dirname, "equivalent.json"), "utf8"))).filter(
    ({ file }) => files.includes(file),
  );
  for (const line of printedReport(mutants, known)) console.log(line);
  if (unexplained(mutants, known).length > 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

interface Part {
  readonly files: readonly string[];
  readonly tests: readonly string[];
}

async function mutantsOf(part: Part): Promise<readonly Mutant[]> {
  const report = join(folder, "report.json");
  writeFileSync(join(folder, "stryker.json"), JSON.stringify(configuration(part, report)));
  const packages = ["core", "tap-runner"].flatMap((name) => ["--package", `@stryker-mutator/${name}@${version}`]);
  const { code } = await commandResult(["npx", "--yes", ...packages, "stryker", "run", join(folder, "stryker.json")], {
    cwd: root,
    env: { ...process.env, NODE_COMPILE_CACHE: join(folder, "cache") },
    onLine: (line) => console.error(line),
    timeoutSec: 4 * 3600,
  });
  if (code !== 0) throw new Error(`Stryker ended with ${code}`);
  const mutants = mutationReport(JSON.parse(readFileSync(report, "utf8")));
  const refused = refusedByCompiler(root, mutants.filter(hasSurvived));
  return mutants.map((mutant) => (refused.has(mutant) ? { ...mutant, status: "CompileError" } : mutant));
}

function configuration({ files: mutate, tests: covering }: Part, report: string): object {
  // One file for each test: to load and strip the modules one by one takes longer than to run what is tested.
  const bundle = [
    ...["esbuild", ...covering, "--bundle", "--platform=node", "--format=esm", "--packages=external"],
    // What reads files that lie beside it, from test/policies/.
    ...["--external:../../components/*", "--external:../../activation/host-command.ts"],
    ...["--outdir=.", "--outbase=.", "--out-extension:.js=.mjs", "--log-level=warning"],
  ];
  return {
    mutate,
    ignorers: ["prose"],
    plugins: ["@stryker-mutator/tap-runner", join(import.meta.dirname, "left-out.mjs")],
    // Of the copy that is changed: what the tests read, and no more.
    ignorePatterns: [
      ...["/*", "!/bin", "!/policies", "!/systemd", "!/components", "!/activation", "!/package.json"],
      ...["!/docs", "/docs/*", "!/docs/*.md"],
      ...["!/test", "/test/*", "!/test/policies", "!/test/systemd", "/test/systemd/*", "!/test/systemd/lints"],
    ],
    tempDirName: join(folder, "copy"),
    buildCommand: bundle.join(" "),
    testRunner: "tap",
    tap: {
      testFiles: covering.map((file) => file.replace(/\.ts$/, ".mjs")),
      nodeArgs: ["--test-reporter=tap", "--no-warnings", "-r", "{{hookFile}}", "{{testFile}}"],
    },
    concurrency: 2,
    // Of a machine that does other work too.
    timeoutMS: 60_000,
    reporters: ["progress-append-only", "json"],
    jsonReporter: { fileName: report },
    allowConsoleColors: false,
  };
}
