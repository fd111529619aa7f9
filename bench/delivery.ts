// The long form of the tests of delivery: `npm run bench:delivery -- [bullseye|bookworm|trixie]`. Deploys real programs from a
// package index with a password, with uv and pip, breaks them in every way, and prints a line for each thing that held.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { bootedHost, type SandboxHost } from "../sandbox/host.ts";
import { isDebianRelease } from "../sandbox/release.ts";
import { wheelhouse } from "../sandbox/wheelhouse.ts";
import { pulumiToolchain } from "../setup/toolchain.ts";
import { invocations } from "../test/hosts/invocations.ts";
import { listing, listingChanges } from "../test/hosts/listing.ts";
import { connectionOf, type TestStack, testStack } from "../test/hosts/stack.ts";

const password = "p@ss/word that nobody may see";
const repository = join(import.meta.dirname, "..");
const print = (line: string) => console.log(line);
const scratch = mkdtempSync(join(tmpdir(), "bench-delivery-"));

/** A package index (PEP 503) over a folder of wheels, for those who have the password. */
function packageIndex(wheels: () => string[]): Promise<{ server: Server; asked: string[] }> {
  const wanted = `Basic ${Buffer.from(`deploy:${password}`).toString("base64")}`;
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    if (request.headers.authorization !== wanted) {
      response.writeHead(401, { "WWW-Authenticate": "Basic" }).end();
      return;
    }
    const [, kind, name = ""] = (request.url ?? "").split("/");
    const files = wheels();
    if (kind === "files") {
      const file = files.find((path) => path.endsWith(`/${decodeURIComponent(name)}`));
      response.writeHead(file === undefined ? 404 : 200).end(file === undefined ? "" : readFileSync(file));
      return;
    }
    const links = files
      .map((path) => ({ path, file: path.slice(path.lastIndexOf("/") + 1) }))
      .filter(({ file }) => file.split("-")[0]?.toLowerCase().replaceAll(/[._]/g, "-") === name)
      .map(({ path, file }) => `<a href="/files/${encodeURIComponent(file)}#sha256=${sha256(path)}">${file}</a>`);
    response.writeHead(links.length > 0 ? 200 : 404, { "Content-Type": "text/html" }).end(links.join("\n"));
  });
  return new Promise((resolve) => server.listen(0, "0.0.0.0", () => resolve({ server, asked })));
}

function sha256(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

/** The address of this machine on the host's link. */
function ownAddress(host: SandboxHost): string {
  const prefix = host.address.slice(0, host.address.lastIndexOf(".") + 1);
  const subnet = (address: string) => Number(address.slice(prefix.length)) >> 2;
  const all = Object.values(networkInterfaces()).flatMap((found) => (found ?? []).map(({ address }) => address));
  const own = all.find((address) => address.startsWith(prefix) && subnet(address) === subnet(host.address));
  if (own === undefined) throw new Error(`no interface of this machine is on the link of ${host.address}`);
  return own;
}

/** Runs uv while this process answers it as its index. */
async function uv(...args: string[]): Promise<string> {
  const folder = join(scratch, "uv");
  if (!readdirSync(scratch).includes("uv")) {
    await ran("python3", "-m", "venv", folder);
    await ran(join(folder, "bin", "pip"), "install", "--quiet", "uv");
  }
  return ran(join(folder, "bin", "uv"), ...args);
}

async function ran(program: string, ...args: string[]): Promise<string> {
  return (await promisify(execFile)(program, args, { timeout: 300_000 })).stdout;
}

/** A wheel with one console script, `greet`. */
function wheel(): string {
  const path = join(scratch, "greeter-1.0-py3-none-any.whl");
  const program = `import sys, zipfile
info = "greeter-1.0.dist-info"
files = {
  "greeter.py": "import time\\ndef main():\\n    print('greetings', flush=True)\\n    time.sleep(100000)\\n",
  f"{info}/METADATA": "Metadata-Version: 2.1\\nName: greeter\\nVersion: 1.0\\n",
  f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
  f"{info}/entry_points.txt": "[console_scripts]\\ngreet = greeter:main\\n",
}
files[f"{info}/RECORD"] = "".join(f"{name},,\\n" for name in [*files, f"{info}/RECORD"])
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    for name, content in files.items():
        archive.writestr(name, content)`;
  execFileSync("python3", ["-c", program, path]);
  return path;
}

async function main(): Promise<void> {
  const release = process.argv[2] ?? "bookworm";
  if (!isDebianRelease(release)) throw new Error(`there is no release ${release}`);
  Object.assign(process.env, (await pulumiToolchain(print)).env);
  const host = await bootedHost({ release });
  const stack = await testStack();
  const app = join(repository, "examples", "fastapi", "app");
  const wheels = await wheelhouse(join(app, "requirements.txt"), print);
  const further = join(scratch, "wheels");
  mkdirSync(further);
  const index = await packageIndex(() =>
    [wheels, further].flatMap((folder) => readdirSync(folder).map((file) => join(folder, file))),
  );
  try {
    await trials(host, stack, further, index, app);
  } finally {
    index.server.close();
    index.server.closeAllConnections();
    stack.remove();
    await host.down();
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function trials(
  host: SandboxHost,
  stack: TestStack,
  further: string,
  { server, asked }: { server: Server; asked: string[] },
  app: string,
): Promise<void> {
  const { port } = server.address() as AddressInfo;
  const url = `http://${ownAddress(host)}:${port}/simple`;
  const trustedHosts = [`${ownAddress(host)}:${port}`];
  const before = await listing(host);
  const source = join(scratch, "app");
  cpSync(app, source, { recursive: true });
  const quotes = {
    source,
    requirements: "requirements.txt",
    exec: ["uvicorn", "main:app", "--port", "8001"],
    type: "notify",
    timeoutStartSec: "20s",
    packageIndex: { url, trustedHosts, username: "deploy" },
  };
  const up = async (pythonServices: object, secret = password) => {
    const started = Date.now();
    const hosts = { host: { connection: connectionOf(host) } };
    const secrets = Object.fromEntries(
      Object.entries(pythonServices)
        .filter(([, service]) => "packageIndex" in service)
        .map(([name]) => [`pythonServices.${name}.packageIndex.password`, secret] as const),
    );
    await stack.configure({ hosts, pythonServices }, secrets);
    const run = await stack.up();
    assert.ok(!run.output.includes(secret) && !run.output.includes(encodeURIComponent(secret)), run.output);
    return { ...run, seconds: (Date.now() - started) / 1000 };
  };
  const good = async (pythonServices: object) => {
    const run = await up(pythonServices);
    assert.equal(run.code, 0, run.output);
    return run;
  };
  const bad = async (pythonServices: object, expected: RegExp, secret = password) => {
    const start = await invocations(host);
    const run = await up(pythonServices, secret);
    assert.equal(run.code, 1, run.output);
    assert.match(run.output, expected);
    return { run, start, end: await invocations(host) };
  };
  const builds = async () =>
    Number(
      await host.output(
        "journalctl --no-pager --boot -o cat _PID=1 | grep -c '^Starting .*builds an environment' || true",
      ),
    );
  const held = (line: string) => print(`held: ${line}`);

  await bad(
    { quotes },
    /its environment could not be built(.|\n)*(401|credentials|No matching|Could not find)/,
    "another password",
  );
  held("a wrong password of the index: the build's output, nothing on the host, no password anywhere in it");
  const first = await good({ quotes });
  assert.ok(asked.some((path) => path.startsWith("/files/fastapi-")));
  assert.equal(
    await host.output(
      `journalctl --no-pager --boot | grep -cF -e '${password}' -e '${encodeURIComponent(password)}' || true`,
    ),
    "0\n",
  );
  const readable = `find /etc /opt /run /var -xdev -type f -perm /044 -print0 2>/dev/null | xargs -0 grep -lF -e '${password}' -e '${encodeURIComponent(password)}' || true`;
  assert.equal(await host.output(readable, { timeoutSec: 300 }), "");
  held(
    `pip from an index with a password, in ${first.seconds.toFixed(0)} s; it is in no journal and in no file that others can read`,
  );

  const project = join(scratch, "project");
  mkdirSync(project);
  writeFileSync(join(project, "main.py"), "import time, six\nprint(six.__version__, flush=True)\ntime.sleep(100000)\n");
  writeFileSync(
    join(project, "pyproject.toml"),
    '[project]\nname = "ticker"\nversion = "1"\nrequires-python = ">=3.9"\ndependencies = ["six==1.17.0"]\n',
  );
  const version = /\d+\.\d+\.\d+/.exec(await uv("--version"))?.[0] ?? "";
  const pip = join(scratch, "uv", "bin", "pip");
  for (const name of [`uv==${version}`, "six==1.17.0"]) {
    await ran(
      pip,
      "download",
      "--quiet",
      "--no-deps",
      "--only-binary=:all:",
      "--platform",
      "manylinux_2_17_x86_64",
      "--platform",
      "manylinux2014_x86_64",
      "--python-version",
      "39",
      "--dest",
      further,
      name,
    );
  }
  const own = `http://deploy:${encodeURIComponent(password)}@127.0.0.1:${port}/simple`;
  await uv("lock", "--quiet", "--project", project, "--default-index", own, "--no-cache");
  assert.ok(!readFileSync(join(project, "uv.lock"), "utf8").includes(encodeURIComponent(password)));
  const ticker = { source: project, exec: ["python", "main.py"], packageIndex: quotes.packageIndex };
  await bad(
    { quotes, ticker: { ...ticker, requirements: "uv.lock" } },
    /a uv\.lock is read by uv alone, and this host has no uv/,
  );
  await good({ quotes, ticker: { ...ticker, requirements: "uv.lock", uvVersion: version } });
  held(`uv.lock, with uv ${version} fetched for the build`);
  writeFileSync(
    join(project, "pylock.toml"),
    await uv("export", "--quiet", "--project", project, "--frozen", "--format", "pylock.toml"),
  );
  await good({ quotes, ticker: { ...ticker, requirements: "pylock.toml" } });
  held("pylock.toml by pip, with its hashes");

  const greeter = { source: wheel(), exec: ["greet"] };
  await good({ quotes, greeter });
  assert.match(await host.output("journalctl --sync; journalctl --no-pager --boot -u greeter -o cat"), /^greetings$/m);
  held("a wheel with a console script as source; the service that left with it is gone");

  const twin = { ...quotes, exec: ["uvicorn", "main:app", "--port", "8002"] };
  await good({ quotes, twin });
  const shared = "find /opt/quotes /opt/twin -type f -links +1 | head -3";
  assert.equal(await host.output(shared), "");
  const pid = await host.output("systemctl show -p InvocationID quotes.service");
  await good({ quotes });
  // Its release and environment stay as long as a kept generation needs them.
  assert.equal(await host.output("systemctl show -p InvocationID quotes.service"), pid);
  held("two services with one lock share no file; one went and the other did not notice");

  const count = await builds();
  const text = readFileSync(join(source, "main.py"), "utf8");
  for (const [what, code, expected] of [
    [
      "ends after 3 s",
      "import os, threading\nthreading.Timer(3, os._exit, (3,)).start()\n",
      /quotes\.service did not stay up/,
    ],
    ["hangs at its start", "import time\ntime.sleep(100)\n", /quotes\.service did not come up/],
    ["fails to import", "import no_such_module\n", /No module named 'no_such_module'/],
    ["eats its memory", "x = [bytearray(1 << 20) for _ in range(1 << 20)]\n", /quotes\.service did not come up/],
  ] as const) {
    writeFileSync(join(source, "main.py"), code + text);
    await bad({ quotes: { ...quotes, settleSec: 6, service: { LimitAS: "1G" } } }, expected);
    const answer = await fetch(`http://${host.address}:8001/health`).catch(() => undefined);
    const local = await host.output("curl --fail --silent --max-time 10 http://127.0.0.1:8001/health");
    assert.deepEqual([answer === undefined, local], [true, '{"healthy":true}']);
    held(`a release that ${what} is taken back, and the one before answers`);
  }
  writeFileSync(join(source, "main.py"), text);
  assert.equal(await builds(), count);
  held("none of the last four built an environment");

  const big = join(scratch, "big");
  mkdirSync(big);
  for (let each = 0; each < 600; each++) writeFileSync(join(big, `f${each}`), Buffer.alloc(100_000, each));
  writeFileSync(join(big, "main.py"), "import time\ntime.sleep(100000)\n");
  await host.output("mkdir -p /opt/big && mount -t tmpfs -o size=90M tmpfs /opt/big");
  const filler = host.run(
    "for i in $(seq 3000); do ls -d /opt/big/releases/.*.pulumi-systemd-*/f10 >/dev/null 2>&1 && break; sleep 0.02; done; dd if=/dev/zero of=/opt/big/filler bs=1M 2>/dev/null; ls -s /opt/big/filler",
  );
  const { start, end } = await bad(
    { quotes, big: { source: big, exec: ["python", "main.py"] } },
    /No space left on device/,
  );
  assert.deepEqual(end, start);
  await filler;
  assert.equal(await host.output("rm /opt/big/filler; ls -A /opt/big"), "");
  held("a disk that fills up in mid-unpack: nothing is left there, nothing was restarted");
  await host.output("dd if=/dev/zero of=/opt/big/filler bs=1M count=40 2>/dev/null");
  await bad(
    { quotes, big: { source: big, exec: ["python", "main.py"] } },
    /no room on the file system of .*: unpacked it needs \d+ MiB/,
  );
  await host.output("umount /opt/big; rmdir /opt/big");
  held("a disk without room is seen before anything is unpacked");

  writeFileSync(join(source, "requirements.txt"), `${readFileSync(join(source, "requirements.txt"), "utf8")}# again\n`);
  const cut = up({ quotes });
  for (let each = 0; ; each++) {
    const units = await host.output("ls /run/systemd/system | grep build || true");
    if (units !== "") break;
    if (each > 600) throw new Error("no build began");
    await sleep(100);
  }
  await sleep(1500);
  await host.powerOff();
  await host.boot();
  await cut.catch(() => {});
  await good({ quotes });
  assert.equal(await host.output("ls -A /opt/quotes/environments /opt/quotes/releases | grep '^[.][^.]' || true"), "");
  held("the power fails in mid-build: the next update goes through, and nothing of the first is left");

  await good({ quotes: { ...quotes, purge: true, service: { StateDirectory: "quotes more" } } });
  await host.output("touch /var/lib/quotes/data");
  const destroyed = await stack.destroy();
  assert.equal(destroyed.code, 0, destroyed.output);
  const expected = /^\S+ \/var\/(lib\/(private\/)?(ticker|greeter|twin)|log)/;
  assert.deepEqual(
    listingChanges(before, await listing(host)).filter((line) => !expected.test(line)),
    [],
  );
  held("destroy leaves no release, environment, user, unit or secret, and with purge no data");
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
