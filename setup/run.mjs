// node setup/run.mjs SCRIPT.ts [args...]
// Runs a script of this repository by its own Node 22, after `npm ci` where that is due. Plain JavaScript for Node >= 20,
// with nothing imported but Node's own modules: it works in a fresh clone.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const top = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(top, "node_modules", ".bin");

class SetupError extends Error {}

/** Whether node_modules holds what package-lock.json asks for, judged by the lockfile that npm leaves inside it. */
function isInstalled() {
  let installed;
  try {
    installed = JSON.parse(readFileSync(join(top, "node_modules", ".package-lock.json"), "utf8")).packages;
  } catch {
    return false;
  }
  const { "": _self, ...locked } = JSON.parse(readFileSync(join(top, "package-lock.json"), "utf8")).packages;
  const isSame = (path) =>
    installed[path] !== undefined &&
    installed[path].version === locked[path].version &&
    installed[path].integrity === locked[path].integrity;
  return (
    Object.keys(locked).every((path) => isSame(path) || (!(path in installed) && isOptional(locked[path]))) &&
    Object.keys(installed).every((path) => path in locked)
  );
}

function isOptional(entry) {
  return entry.optional === true || entry.devOptional === true || entry.peer === true;
}

/** Two commands in one clone must not both run `npm ci`: it begins by deleting node_modules. */
async function withInstallLock(work) {
  const lock = join(tmpdir(), `pulumi-systemd-npm-${createHash("sha256").update(top).digest("hex").slice(0, 16)}.lock`);
  const deadline = Date.now() + 600_000;
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const holder = Number(readText(lock));
    if (holder > 0 && !isAlive(holder)) rmSync(lock, { force: true });
    if (Date.now() > deadline) throw new SetupError(`${lock} is held by process ${holder} for more than 10 minutes`);
    await sleep(200);
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function readText(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

async function install() {
  const npmScript = process.env.npm_execpath ?? "";
  const npm = basename(npmScript) === "npm-cli.js" ? [process.execPath, npmScript] : ["npm"];
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  say("installing the npm packages (npm ci)");
  const ticker = setInterval(() => say(`still installing the npm packages (${seconds()} s)`), 10_000);
  const output = [];
  try {
    const code = await new Promise((resolve, reject) => {
      const child = spawn(npm[0], [...npm.slice(1), "ci", "--no-audit", "--no-fund"], { cwd: top, stdio: "pipe" });
      child.stdin.end();
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => output.push(chunk));
      child.on("error", () => reject(new SetupError("there is no npm on PATH: install npm")));
      child.on("close", resolve);
    });
    if (code !== 0) {
      throw new SetupError(`npm ci failed (exit code ${code}):\n${Buffer.concat(output).toString("utf8").trimEnd()}`);
    }
  } finally {
    clearInterval(ticker);
  }
  say(`installed the npm packages in ${seconds()} s`);
}

/** Builds again what `npm ci` builds from the sources: they may have changed since. */
function build(env) {
  const { prepare } = JSON.parse(readFileSync(join(top, "package.json"), "utf8")).scripts;
  if (prepare === undefined) return;
  const built = spawnSync(prepare, { cwd: top, env, shell: true, encoding: "utf8" });
  if (built.status !== 0) throw new SetupError(`\`${prepare}\` failed:\n${built.stdout}${built.stderr}`.trimEnd());
}

/** The Node to run by: the `node` package's, else this one where it is new enough to run TypeScript. */
function node22() {
  const candidates = [join(bin, "node"), process.execPath];
  for (const node of candidates) {
    const asked = spawnSync(node, ["--version"], { encoding: "utf8" });
    const [major, minor] = (asked.stdout ?? "").replace("v", "").split(".").map(Number);
    if (asked.status === 0 && (major > 22 || (major === 22 && minor >= 18))) return node;
  }
  throw new SetupError(
    "npm did not install Node 22 (the `node` package): are install scripts switched off? Use `npm config set ignore-scripts false`, or Node >= 22.18",
  );
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

async function main() {
  const [script, ...args] = process.argv.slice(2);
  if (script === undefined) throw new SetupError("usage: node setup/run.mjs SCRIPT.ts [args...]");
  if (Number(process.versions.node.split(".")[0]) < 20) {
    throw new SetupError(`Node ${process.versions.node} is too old: install Node 20 or newer`);
  }
  if (!isInstalled() || !existsSync(join(bin, "node"))) {
    await withInstallLock(async () => {
      if (!isInstalled()) await install();
    });
  }
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}`, NODE_USE_ENV_PROXY: "1" };
  build(env);
  const child = spawn(node22(), [join(top, script), ...args], { cwd: top, stdio: "inherit", env });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      // At a terminal Ctrl-C reaches the child by itself; twice would look like an impatient user.
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(signal === null ? code : 128 + constants.signals[signal]));
  });
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    say(error instanceof SetupError ? `set-up: ${error.message}` : String(error.stack));
    process.exitCode = 1;
  },
);
