import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { StackStatus } from "../../cli/status/stack-status.ts";
import type { SandboxHost } from "../../sandbox/host.ts";
import { splitWords } from "../../systemd/words.ts";
import { type CommandRun, type RunningCommand, startedCommand } from "./command-run.ts";
import { bootedFleet, type Fleet } from "./fleet.ts";
import { logSince, mark } from "./host-log.ts";
import { listing, listingChanges } from "./listing.ts";

const config = {
  services: {
    api: { exec: ["/bin/sleep", "infinity"], secretEnvironment: { TOKEN: "" } },
    worker: { exec: ["/bin/sleep", "infinity"] },
  },
  timers: { nightly: { onCalendar: "*-*-* 03:00:00", service: { exec: ["/bin/sh", "-c", "exit 3"] } } },
  healthChecks: {
    "api-health": {
      unit: "api.service",
      command: { exec: ["/usr/bin/test", "!", "-e", "/srv/ill"] },
      everySec: "1s",
      failAfter: 1,
      graceSec: "0",
      maxActions: 0,
    },
  },
};
const docs = readFileSync(join(import.meta.dirname, "../../docs/status-and-logs.md"), "utf8");

suite("pulumi-systemd status and logs, on hosts of each systemd", { timeout: 600_000 }, () => {
  let fleet: Fleet;
  const started = (...words: readonly string[]) => startedCommand(fleet.stack, words);
  const run = async (...words: readonly string[]): Promise<CommandRun> => {
    const ended = await started(...words).ended;
    assert.ok(!`${ended.stdout}${ended.stderr}`.includes("hush-hush"));
    return ended;
  };
  const onAll = <T>(body: (host: SandboxHost) => Promise<T>) => Promise.all(fleet.hosts.map(body));
  const report = async (...words: readonly string[]): Promise<StackStatus> =>
    JSON.parse((await run("status", "--json", ...words)).stdout);

  before(async () => {
    fleet = await bootedFleet();
    await fleet.deploy(config, { "services.api.secretEnvironment.TOKEN": "hush-hush-token" });
    await onAll((host) => host.output("until pulumi-systemd-host health --json | grep -q healthy; do sleep 0.2; done"));
  });
  after(() => fleet?.down());

  test("status: all is well: one table, one login to each host, nothing written, exit status 0", async () => {
    const [marks, files] = [await onAll(mark), await onAll((host) => listing(host))];
    const { code, stdout, stderr } = await run("status");
    assert.deepEqual([code, stderr], [0, ""], stdout);
    const [header, ...rows] = stdout.trimEnd().split("\n");
    assert.match(header ?? "", /^HOST +UNIT +STATE +FOR +RESULT +RESTARTS +MEMORY +NEXT +LAST +HEALTH +GEN +DRIFT$/);
    for (const [index, host] of fleet.hosts.entries()) {
      const own = rows.filter((row) => row.startsWith(`${host.release} `)).map((row) => row.split(/ {2,}/).slice(1));
      const of = (unit: string) => own.find(([name]) => name === unit) ?? [];
      assert.deepEqual(own.map(([unit]) => unit).sort(), [
        "api-health.timer",
        "api.service",
        "nightly.service",
        "nightly.timer",
        "pulumi-systemd-health-pulumi-systemd-dev.service",
        "worker.service",
      ]);
      assert.deepEqual([of("api.service")[1], of("api.service")[4]], ["active (running)", "0"]);
      // Not every machine lends its hosts the memory controller.
      const isCounted = /^\d+$/.test(await host.output("systemctl show -P MemoryCurrent api.service | tr -d '\\n'"));
      assert.match(of("api.service")[5] ?? "", isCounted ? /^\d+\.\d[KM]$/ : /^-$/);
      assert.deepEqual(of("api.service").slice(-3), ["healthy", "1", "-"]);
      assert.match(of("nightly.timer")[6] ?? "", /^in (\d+ h|\d+ min|\d+ s)/);
      assert.equal(of("nightly.timer")[7], "never");
      assert.match(of("api-health.timer")[7] ?? "", /^[0-9] s ago$/);
      assert.equal((await logSince(host, marks[index]!)).logins, 1);
      assert.deepEqual(
        listingChanges(files[index]!, await listing(host)).filter((line) => !line.includes("health")),
        [],
      );
    }
  });

  test("status: what is not well comes first, with its reason; exit status 1", async () => {
    await onAll((host) =>
      host.output(`kill -KILL "$(systemctl show -P MainPID api.service)"
        touch /srv/ill
        systemctl stop worker.service
        systemctl start nightly.service || true
        echo '# by hand' >> /etc/systemd/system/nightly.timer
        until [ "$(systemctl show -P ActiveState api.service)" = active ]; do sleep 0.2; done
        until pulumi-systemd-host health --json | grep -q '"told"'; do sleep 0.2; done`),
    );
    const { hosts } = await report();
    for (const { host, status } of hosts) {
      assert.deepEqual(
        status?.units
          .filter(({ well }) => !well)
          .map(({ name, activeState, result, exit }) => [name, activeState, result, exit]),
        [
          ["nightly.service", "failed", "exit-code", "3"],
          ["worker.service", "inactive", "success", ""],
        ],
        host,
      );
      const api = status.units.find(({ name }) => name === "api.service");
      assert.equal(api?.restarts, 1, host);
      assert.ok(api.since !== null && status.now - api.since < 120, host);
      assert.deepEqual(
        status.health.map(({ check, unit, state }) => [check, unit, state]),
        [["api-health", "api.service", "told"]],
      );
      assert.deepEqual(
        status.findings.map(({ kind, unit }) => `${kind} ${unit}`).sort(),
        [
          "daemon-reload nightly.timer",
          "failed nightly.service",
          "file-changed nightly.timer",
          "stopped worker.service",
        ],
        host,
      );
    }
    const { code, stdout } = await run("status");
    assert.equal(code, 1, stdout);
    const rows = stdout
      .split("\n")
      .slice(1, 10)
      .map((row) => row.split(/ {2,}/)[1]);
    assert.deepEqual([...new Set(rows)].sort(), ["api.service", "nightly.service", "worker.service"], stdout);
    assert.match(stdout, /^bookworm: nightly\.service: failed \(failed\); result exit-code: .*; exit status 3$/m);
    assert.match(stdout, /^bookworm: api-health: not well, this check only tells/m);
  });

  test("status: units by name and pattern; an unknown one and an unknown host are said", async () => {
    const { hosts } = await report("api", "nightly*");
    assert.deepEqual(
      hosts.map(({ status }) => status?.units.map(({ name }) => name).sort()),
      fleet.hosts.map(() => ["api.service", "nightly.service", "nightly.timer"]),
    );
    assert.equal((await run("status", "nightly.timer")).code, 0);
    const unknown = await run("status", "nobody");
    assert.deepEqual([unknown.code, unknown.stderr], [2, "no host that answered has nobody\n"]);
    assert.match((await run("status", "--host", "web9")).stderr, /^stack dev has no host web9; it has bookworm/);
  });

  test("status: a watch looks again over the same connection, and shows what changes", async () => {
    const marks = await onAll(mark);
    const watch = started("status", "--watch", "1", "--json", "worker");
    const looks = () =>
      watch.stdout
        .split("\n")
        .slice(0, -1)
        .map((line): StackStatus => JSON.parse(line));
    const last = () =>
      looks()
        .at(-1)
        ?.hosts.map(({ status }) => status?.units.map(({ activeState }) => activeState).join());
    try {
      await until(watch, () => last()?.every((state) => state === "inactive") === true);
      await onAll((host) => host.output("systemctl start worker.service"));
      await until(watch, () => last()?.every((state) => state === "active") === true);
    } finally {
      await watch.stop();
    }
    for (const [index, host] of fleet.hosts.entries()) {
      assert.equal((await logSince(host, marks[index]!)).logins, 1);
      await host.output("until ! pgrep --full 'statu[s]( --under-sudo|$)'; do sleep 0.2; done", { timeoutSec: 30 });
    }
  });

  test("status: a host that cannot be reached is said and hides no other; exit status 2", async () => {
    const [gone, ...others] = fleet.hosts;
    assert.ok(gone !== undefined);
    await gone.cutLink();
    try {
      const { code, stdout } = await run("status");
      assert.equal(code, 2, stdout);
      assert.match(stdout, new RegExp(`^${gone.release}: not known: ${gone.release} \\(deploy@\\S+\\): \\S`, "m"));
      for (const { release } of others) assert.match(stdout, new RegExp(`^${release} +api\\.service`, "m"));
    } finally {
      await gone.restoreLink();
    }
  });

  test("every command of docs/status-and-logs.md does what it says", async () => {
    const commands = [...docs.matchAll(/^pulumi-systemd (.*)$/gm)].map(([, words = ""]) => words);
    assert.ok(commands.length > 3);
    for (const words of commands) {
      const own = splitWords(words.replace(/ --stack prod/, "").replace(/\bweb1\b/, fleet.hosts[0]!.release));
      const running = started(...own);
      const isEndless = own.some((word) => ["--watch", "-f", "--follow"].includes(word));
      if (isEndless) await until(running, () => running.stdout !== "");
      const ended = await (isEndless ? running.stop() : running.ended);
      assert.ok(isEndless || ended.code === 0 || ended.code === 1, `${words}: ${ended.code} ${ended.stderr}`);
      assert.deepEqual([ended.stderr, ended.stdout === ""], ["", false], words);
    }
  });
});

/** Waits until something holds, with what the command said where it never does. */
async function until(command: RunningCommand, holds: () => boolean, seconds = 60): Promise<void> {
  for (let waited = 0; !holds(); waited += 0.1) {
    assert.ok(waited < seconds, `${command.stdout.slice(-3000)}\n${command.stderr.slice(-3000)}`);
    await sleep(100);
  }
}
