import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type DeliveryBench, held, password } from "../delivery-bench.ts";

/** Packages from an index with a password: nobody else sees it. */
export async function indexTrial(bench: DeliveryBench): Promise<void> {
  const { quotes, host } = bench;
  const wrong = await bench.refused(
    { quotes },
    /its environment could not be built(.|\n)*(401|credentials|No matching|Could not find)/,
    "another password",
  );
  held("a wrong password of the package index", "pip's own words; nothing on the host, no password anywhere", wrong);
  const first = await bench.good({ quotes });
  assert.ok(bench.index.asked.some((path) => path.startsWith("/files/fastapi-")));
  const patterns = `-e '${password}' -e '${encodeURIComponent(password)}'`;
  assert.equal(await host.output(`journalctl --no-pager --boot | grep -cF ${patterns} || true`), "0\n");
  const readable = `find /etc /opt /run /var -xdev -type f -perm /044 -print0 2>/dev/null | xargs -0 grep -lF ${patterns} || true`;
  assert.equal(await host.output(readable, { timeoutSec: 300 }), "");
  await bench.answers();
  held(
    "the right one: FastAPI and uvicorn by pip",
    "runs; the password is in no journal, and in no file that others can read",
    first,
  );
}

/** uv.lock and pylock.toml. */
export async function locksTrial(bench: DeliveryBench): Promise<void> {
  const { quotes, index, scratch } = bench;
  const project = join(scratch, "project");
  mkdirSync(project);
  writeFileSync(join(project, "main.py"), "import time, six\nprint(six.__version__, flush=True)\ntime.sleep(100000)\n");
  writeFileSync(
    join(project, "pyproject.toml"),
    '[project]\nname = "ticker"\nversion = "1"\nrequires-python = ">=3.9"\ndependencies = ["six==1.17.0"]\n',
  );
  const version = /\d+\.\d+\.\d+/.exec(await uv(scratch, "--version"))?.[0] ?? "";
  const pip = join(scratch, "uv", "bin", "pip");
  const target = ["manylinux_2_17_x86_64", "manylinux2014_x86_64"].flatMap((name) => ["--platform", name]);
  const options = ["--quiet", "--no-deps", "--only-binary=:all:", ...target, "--python-version", "39"];
  for (const name of [`uv==${version}`, "six==1.17.0"]) {
    await ran(pip, "download", ...options, "--dest", bench.furtherWheels, name);
  }
  const own = `http://deploy:${encodeURIComponent(password)}@127.0.0.1:${index.port}/simple`;
  await uv(scratch, "lock", "--quiet", "--project", project, "--default-index", own, "--no-cache");
  assert.ok(!readFileSync(join(project, "uv.lock"), "utf8").includes(encodeURIComponent(password)));
  const ticker = { source: project, exec: ["python", "main.py"], packageIndex: quotes.packageIndex };
  const none = await bench.refused(
    { quotes, ticker: { ...ticker, requirements: "uv.lock" } },
    /a uv\.lock is read by uv alone, and this host has no uv/,
  );
  held("a `uv.lock`, to a host without uv", "an error that says so, before anything changes", none);
  const locked = await bench.good({ quotes, ticker: { ...ticker, requirements: "uv.lock", uvVersion: version } });
  held("the same with `uvVersion`", "uv is fetched for the build; runs", locked);
  writeFileSync(
    join(project, "pylock.toml"),
    await uv(scratch, "export", "--quiet", "--project", project, "--frozen", "--format", "pylock.toml"),
  );
  const byPip = await bench.good({ quotes, ticker: { ...ticker, requirements: "pylock.toml" } });
  held("`pylock.toml`", "installed by pip, with its hashes; runs", byPip);
}

/** uv of this machine. */
async function uv(scratch: string, ...args: string[]): Promise<string> {
  const folder = join(scratch, "uv");
  if (!existsSync(folder)) {
    await ran("python3", "-m", "venv", folder);
    await ran(join(folder, "bin", "pip"), "install", "--quiet", "uv");
  }
  return ran(join(folder, "bin", "uv"), ...args);
}

/** Not synchronous: this process is the index that it asks. */
async function ran(program: string, ...args: string[]): Promise<string> {
  return (await promisify(execFile)(program, args, { timeout: 300_000 })).stdout;
}
