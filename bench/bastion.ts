/**
 * Many hosts behind one bastion, all dialled at once, as from a machine with 64 cores: does every update get through the
 * `MaxStartups` of a stock sshd? `node setup/run.mjs bench/bastion.ts [HOSTS] [PARALLEL] [MAXSTARTUPS]` (60 hosts,
 * `--parallel 256`, `MaxStartups` as Debian sets it). A smaller one, such as `2:70:6`, drops as many logins on a small machine as
 * a stock one does where more processors dial.
 *
 * The bastion is a sandbox host with sshd as Debian sets it. The hosts behind it are further sshds on the same machine, twenty
 * ports of 127.0.0.1, each for a share of the Hosts: so their transactions wait for one another, and their logins do not.
 */
import assert from "node:assert/strict";
import { cpus, loadavg } from "node:os";
import { bootedHost } from "../sandbox/host.ts";
import { pulumiToolchain } from "../setup/toolchain.ts";
import { logSince, mark } from "../test/hosts/host-log.ts";
import { connectionOf, testStack } from "../test/hosts/stack.ts";
import { processMemories } from "./process-memory.ts";

const [hosts = 60, parallel = 256] = process.argv.slice(2, 4).map(Number);
const maxStartups = process.argv[4];
const ports = Array.from({ length: 20 }, (_, index) => 2201 + index);

Object.assign(process.env, (await pulumiToolchain(console.log)).env);
const secondsForAll = 3600;
const [host, stack] = await Promise.all([
  bootedHost({ release: "bookworm" }),
  testStack("dev", undefined, secondsForAll),
]);
try {
  if (maxStartups !== undefined) {
    await host.writeFile("/etc/ssh/sshd_config.d/few.conf", `MaxStartups ${maxStartups}\n`);
    await host.output("systemctl restart ssh");
  }
  await host.output(
    ports.map((port) => `systemd-run --quiet --unit=sshd-${port} /usr/sbin/sshd -D -p ${port}`).join(" && "),
  );
  const behind = connectionOf(host);
  // Pulumi hands the whole config to a program in one variable of its environment, which Linux ends at 128 KiB.
  const proxy = behind;
  await stack.configure({
    hosts: Object.fromEntries(
      Array.from({ length: hosts }, (_, index) => {
        const port = ports[index % ports.length];
        const connection = { ...behind, host: "127.0.0.1", port, proxy };
        return [`web${index}`, { connection, units: [`job${index}.service`], transactionSec: secondsForAll }];
      }),
    ),
    services: Object.fromEntries(
      Array.from({ length: hosts }, (_, index) => [`job${index}`, { exec: ["/bin/sleep", "infinity"] }]),
    ),
  });
  for (const operation of ["up", "destroy"] as const) {
    const since = await mark(host);
    const began = performance.now();
    let memory = 0;
    const looking = setInterval(() => {
      memory = Math.max(memory, cliBytes());
    }, 500);
    const run =
      operation === "up"
        ? await stack.up("--parallel", String(parallel))
        : await stack.pulumi("destroy", "--yes", "--skip-preview", "--parallel", String(parallel));
    clearInterval(looking);
    assert.equal(run.code, 0, run.output.slice(-6000));
    const { sshd } = await logSince(host, since);
    const accepted = sshd.filter((line) => line.startsWith("Accepted publickey for deploy "));
    const inner = accepted.filter((line) => line.includes(" from 127.0.0.1 ")).length;
    const dropped = sshd.filter((line) => /drop connection|MaxStartups/.test(line)).length;
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    console.log(
      `${operation}: ${hosts} hosts, --parallel ${parallel}: all through in ${seconds} s; logins at the bastion ${accepted.length - inner}, behind it ${inner}; sshd told of dropped ones ${dropped} times; the largest pulumi process ${(memory / 2 ** 30).toFixed(1)} GiB; ${cpus().length} processors, load ${loadavg()[0]?.toFixed(1)}`,
    );
  }
} finally {
  await host.down();
  stack.remove();
}

/** Memory of the largest `pulumi` process that this one has started. */
function cliBytes(): number {
  const own = processMemories(process.pid).filter(({ program }) => program === "pulumi");
  return Math.max(0, ...own.map(({ bytes }) => bytes));
}
