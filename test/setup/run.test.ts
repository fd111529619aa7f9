import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";

const runner = join(import.meta.dirname, "..", "..", "setup", "run.mjs");
const lockfile = (version: string) => ({
  packages: {
    "": { name: "clone" },
    "node_modules/a": { version, integrity: "sha512-a" },
    "node_modules/other-platform": { version: "1.0.0", optional: true },
  },
});

let clone: string;
let env: NodeJS.ProcessEnv;

/** A clone whose npm is a script that puts there what `npm ci` would, and counts its runs in `runs`. */
beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), "run-test-"));
  mkdirSync(join(clone, "setup"));
  mkdirSync(join(clone, "tools"));
  cpSync(runner, join(clone, "setup", "run.mjs"));
  writeFileSync(join(clone, "package.json"), JSON.stringify({ type: "module", scripts: {} }));
  writeFileSync(join(clone, "package-lock.json"), JSON.stringify(lockfile("1.0.0")));
  writeFileSync(
    join(clone, "script.ts"),
    `const words: string[] = process.argv.slice(2);
     console.log(JSON.stringify({ words, path: process.env.PATH!.split(":")[0], node: process.execPath }));
     process.exit(Number(words[0]));`,
  );
  npm(`sleep 0.2; rm -rf node_modules; mkdir -p node_modules/.bin
    ln -s "${process.execPath}" node_modules/.bin/node
    sed 's/"":{[^}]*},//; s/,"node_modules.other-platform":{[^}]*}//' package-lock.json >node_modules/.package-lock.json`);
  env = { PATH: `${join(clone, "tools")}:/usr/bin:/bin` };
});
afterEach(() => rmSync(clone, { recursive: true, force: true }));

function npm(script: string): void {
  const file = join(clone, "tools", "npm");
  writeFileSync(file, `#!/bin/bash\necho "$*" >>runs\n${script}\n`);
  chmodSync(file, 0o755);
}

function npmRuns(): string {
  return spawnSync("cat", [join(clone, "runs")], { encoding: "utf8" }).stdout;
}

function ran(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(clone, "setup", "run.mjs"), ...args], {
    env,
    encoding: "utf8",
    cwd: tmpdir(),
  });
  return { status, stdout, stderr };
}

const install = "ci --no-audit --no-fund\n";
const installed = /^installing the npm packages \(npm ci\)\ninstalled the npm packages in \d s\n$/;

test("a fresh clone is set up first; arguments and the exit code pass through", () => {
  const { status, stdout, stderr } = ran("script.ts", "7", "two words");
  assert.equal(
    stderr.replace(/in \d+ s/, "in 0 s"),
    "installing the npm packages (npm ci)\ninstalled the npm packages in 0 s\n",
  );
  assert.deepEqual(JSON.parse(stdout), {
    words: ["7", "two words"],
    path: join(clone, "node_modules", ".bin"),
    node: process.execPath,
  });
  assert.equal(status, 7);
});

test("what is installed already is not installed again, until the lockfile asks for something else", () => {
  assert.equal(ran("script.ts", "0").status, 0);
  assert.deepEqual(ran("script.ts", "0").stderr, "");
  assert.equal(npmRuns(), install);
  writeFileSync(join(clone, "package-lock.json"), JSON.stringify(lockfile("1.0.1")));
  assert.match(ran("script.ts", "0").stderr, installed);
  assert.equal(npmRuns(), install.repeat(2));
  rmSync(join(clone, "node_modules", ".package-lock.json"));
  assert.match(ran("script.ts", "0").stderr, installed);
});

test("two commands in a fresh clone install once", async () => {
  const children = ["0", "0"].map((code) =>
    spawn(process.execPath, [join(clone, "setup", "run.mjs"), "script.ts", code], { env, stdio: "ignore" }),
  );
  assert.deepEqual(await Promise.all(children.map(async (child) => (await once(child, "close"))[0])), [0, 0]);
  assert.equal(npmRuns(), install);
});

test("a failing npm ci shows what npm said", () => {
  npm("echo out; echo 'npm error network' >&2; exit 4");
  assert.deepEqual(ran("script.ts", "0"), {
    status: 1,
    stdout: "",
    stderr: "installing the npm packages (npm ci)\nset-up: npm ci failed (exit code 4):\nout\nnpm error network\n",
  });
});

test("no npm is one clear line", () => {
  rmSync(join(clone, "tools", "npm"));
  // A folder with nothing but what the runner itself starts: some machines have an npm in /usr/bin.
  env = { PATH: join(clone, "tools") };
  assert.equal(
    ran("script.ts", "0").stderr,
    "installing the npm packages (npm ci)\nset-up: there is no npm on PATH: install npm\n",
  );
});

test("what package.json prepares is built again each time, and its failure is shown", () => {
  const scripts = { prepare: 'echo "$PATH" | cut -d: -f1 >>prepared; test ! -e broken || { echo no; exit 1; }' };
  writeFileSync(join(clone, "package.json"), JSON.stringify({ type: "module", scripts }));
  assert.equal(ran("script.ts", "0").status, 0);
  assert.equal(ran("script.ts", "0").status, 0);
  assert.equal(readFileSync(join(clone, "prepared"), "utf8"), `${join(clone, "node_modules", ".bin")}\n`.repeat(2));
  writeFileSync(join(clone, "broken"), "");
  const { status, stderr } = ran("script.ts", "0");
  assert.equal(status, 1);
  assert.equal(stderr, `set-up: \`${scripts.prepare}\` failed:\nno\n`);
});

test("a signal reaches the script, and its end is told", async () => {
  writeFileSync(
    join(clone, "wait.ts"),
    `process.on("SIGTERM", () => process.exit(9)); console.log("ready"); setTimeout(() => {}, 60_000);`,
  );
  const start = (script: string): ChildProcess =>
    spawn(process.execPath, [join(clone, "setup", "run.mjs"), script], { env, stdio: ["ignore", "pipe", "ignore"] });
  const caught = start("wait.ts");
  await once(caught.stdout!, "data");
  caught.kill("SIGTERM");
  assert.deepEqual(await once(caught, "close"), [9, null]);

  writeFileSync(join(clone, "die.ts"), `console.log("ready"); setTimeout(() => {}, 60_000);`);
  const died = start("die.ts");
  await once(died.stdout!, "data");
  died.kill("SIGTERM");
  assert.deepEqual(await once(died, "close"), [143, null]);
});

test("the scripts that package.json names are there", () => {
  const top = join(import.meta.dirname, "..", "..");
  const { scripts } = JSON.parse(readFileSync(join(top, "package.json"), "utf8"));
  assert.deepEqual(
    ["demo", "host", "test", "test:unit"].map((name) => scripts[name]),
    [
      "node setup/run.mjs demo/demo.ts",
      "node setup/run.mjs sandbox/cli.ts",
      "node setup/run.mjs test/run.ts",
      "node setup/run.mjs test/run.ts --unit",
    ],
  );
});
