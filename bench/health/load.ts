/**
 * 200 checks of one host every minute: CPU time and memory, next to Debian's monit with the same probes. Ports, processes
 * and files are those of one small service each way: 100 TCP probes, 60 HTTP probes, 40 probes of a file's age.
 *
 * `npm run bench:health-load [-- MINUTES]`
 */
import { setTimeout as sleep } from "node:timers/promises";
import { bootedHost, type SandboxHost } from "../../sandbox/host.ts";
import { pulumiToolchain } from "../../setup/toolchain.ts";
import { connectionOf, testStack } from "../../test/hosts/stack.ts";

const minutes = Number(process.argv[2] ?? 5);
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
const service = "pulumi-systemd-health-pulumi-systemd-dev.service";

const ours = Object.fromEntries([
  ...numbers(100).map((index) => [`tcp${index}`, { tcp: { port: 8000 } }]),
  ...numbers(60).map((index) => [`http${index}`, { http: { url: "http://127.0.0.1:8000/", timeoutSec: "5s" } }]),
  ...numbers(40).map((index) => [`file${index}`, { file: { path: "/etc/hostname", maxAgeSec: "3650d" } }]),
]);
const monit = [
  "set daemon 60",
  "set log syslog",
  ...numbers(100).map(
    (index) => `check host tcp${index} with address 127.0.0.1\n  if failed port 8000 type tcp then alert`,
  ),
  ...numbers(60).map(
    (index) => `check host http${index} with address 127.0.0.1\n  if failed port 8000 protocol http then alert`,
  ),
  ...numbers(40).map(
    (index) => `check file file${index} with path /etc/hostname\n  if timestamp > 87600 hours then alert`,
  ),
].join("\n");

/** CPU time in ms and resident memory in MiB of a process. */
async function used(host: SandboxHost, name: string): Promise<{ cpu: number; memory: number }> {
  const text = await host.output(
    `pid=$(pgrep -o -x ${name}); cut -d' ' -f14,15 /proc/$pid/stat; grep VmRSS /proc/$pid/status | tr -dc 0-9`,
  );
  const [ticks = "", kilobytes = ""] = text.split("\n");
  const [user = Number.NaN, system = Number.NaN] = ticks.split(" ").map(Number);
  return { cpu: (user + system) * 10, memory: Number(kilobytes) / 1024 };
}

/** Connections that the host has accepted since its boot. */
async function accepted(host: SandboxHost): Promise<number> {
  return Number(await host.output("awk '/^Tcp:/ { opens = $7 } END { print opens }' /proc/net/snmp"));
}

async function main(): Promise<void> {
  Object.assign(process.env, (await pulumiToolchain((line) => console.error(line))).env);
  const host = await bootedHost({ release: "bookworm", packages: ["monit"], log: (line) => console.error(line) });
  const stack = await testStack();
  try {
    await host.output("systemctl stop monit 2>/dev/null || true");
    await stack.configure({
      hosts: { web1: { connection: connectionOf(host) } },
      services: {
        web: {
          exec: ["/usr/bin/python3", "-m", "http.server", "8000", "--bind", "127.0.0.1"],
          service: { StandardError: "null" },
        },
      },
      healthChecks: { load: { checks: ours, everySec: "1min" } },
    });
    const up = await stack.up();
    if (up.code !== 0) throw new Error(up.output);

    // Each run of ours is a process of its own: what it used is told by wait4(), asked of a run made by hand.
    await host.output(`systemctl stop load.timer; mkdir -p /run/pulumi-systemd/health/pulumi-systemd-dev`);
    const runs: { cpu: number; wall: number; memory: number }[] = [];
    for (let run = 0; run < minutes; run++) {
      const text = await host.output(
        `touch /run/pulumi-systemd/health/pulumi-systemd-dev/load.asked
        python3 -c '
import resource, subprocess, time
begin = time.monotonic()
subprocess.run(["python3", "-I", "/usr/local/lib/pulumi-systemd/health/pulumi-systemd-dev.py", "run", "${service}"], check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print((used.ru_utime + used.ru_stime) * 1000, (time.monotonic() - begin) * 1000, used.ru_maxrss / 1024)'`,
      );
      const [cpu = 0, wall = 0, memory = 0] = text.trim().split(" ").map(Number);
      runs.push({ cpu, wall, memory });
    }
    const seen: { state: string }[] = JSON.parse(
      await host.output("python3 -I /usr/local/lib/pulumi-systemd/health/pulumi-systemd-dev.py status --json"),
    );
    if (seen.length !== 200 || seen.some(({ state }) => state !== "healthy"))
      throw new Error(JSON.stringify(seen.slice(0, 3)));

    await host.writeFile("/etc/monit/monitrc", `${monit}\n`, 0o600);
    await host.output("systemctl restart monit");
    await sleep(65_000);
    const before = await used(host, "monit");
    const met = await accepted(host);
    await sleep(minutes * 60_000);
    const after = await used(host, "monit");
    const probes = (await accepted(host)) - met;
    if (probes < 160 * (minutes - 1))
      throw new Error(`monit made ${probes} connections in ${minutes} min, wanted 160 in each`);

    const middle = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
    const cpu = middle(runs.map((run) => run.cpu));
    console.log(
      "| | CPU time a minute | memory while checking | memory between | time for all 200 |\n|---|---|---|---|---|",
    );
    console.log(
      `| pulumi-systemd | ${cpu.toFixed(0)} ms | ${middle(runs.map((run) => run.memory)).toFixed(0)} MiB | 0 | ${middle(runs.map((run) => run.wall)).toFixed(0)} ms |`,
    );
    const memory = after.memory.toFixed(0);
    console.log(
      `| monit | ${((after.cpu - before.cpu) / minutes).toFixed(0)} ms | ${memory} MiB | ${memory} MiB | one after the other |`,
    );
  } finally {
    await host.down();
    stack.remove();
  }
}

await main();
