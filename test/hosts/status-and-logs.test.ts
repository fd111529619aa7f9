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

const counting = "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.05; done";
const config = (version = 1) => ({
  services: {
    api: { exec: ["/bin/sleep", "infinity"], secretEnvironment: { TOKEN: "" } },
    counter: { exec: ["/bin/sh", "-c", counting] },
    worker: { exec: ["/bin/sh", "-c", `echo '<3>bad ${version}' >&2; exec sleep infinity`] },
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
});
const secrets = { "services.api.secretEnvironment.TOKEN": "hush-hush-token" };
const docs = ["status-and-logs", "health"]
  .map((name) => readFileSync(join(import.meta.dirname, `../../docs/${name}.md`), "utf8"))
  .join("\n");

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
    await fleet.deploy(config(), secrets);
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
        "counter.service",
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

  const entries = async (...words: readonly string[]): Promise<Entry[]> => {
    const { code, stdout, stderr } = await run("logs", "-o", "json", ...words);
    assert.deepEqual([code, stderr], [0, ""], stdout.slice(-3000));
    return entriesOf(stdout);
  };
  const cursors = async (host: SandboxHost, words: string) =>
    entriesOf(await host.output(`journalctl --sync; journalctl -o json ${words}`)).map(({ __CURSOR }) => __CURSOR);
  const ofHost = (all: readonly Entry[], { release }: SandboxHost) =>
    all.filter(({ PULUMI_SYSTEMD_HOST }) => PULUMI_SYSTEMD_HOST === release);

  test("logs: what journalctl shows on each host, merged by time, one login to each; options mean the same", async () => {
    const marks = await onAll(mark);
    const from = Math.floor(Date.now() / 1000) - 3;
    for (const words of [
      ["--since", `@${from - 1}`, "--until", `@${from}`, "counter"],
      ["-p", "err", "worker"],
      ["-p", "err..err", "-n", "all", "nightly*", "worker.service"],
    ]) {
      const found = await entries(...words);
      const times = found.map(({ __REALTIME_TIMESTAMP: time }) => Number(time));
      assert.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
      );
      await onAll(async (host) => {
        const units =
          words.at(-1) === "counter" ? "-u counter" : words.length > 3 ? "-u 'nightly*' -u worker" : "-u worker";
        const options = words.filter((word) => !/^(counter|nightly|worker)/.test(word)).join(" ");
        const own = await cursors(host, `${options} ${units}`);
        assert.ok(own.length > 0);
        assert.deepEqual(
          ofHost(found, host).map(({ __CURSOR }) => __CURSOR),
          own,
          `${host.release} ${words.join(" ")}`,
        );
      });
    }
    await onAll(async (host) =>
      assert.equal((await logSince(host, marks[fleet.hosts.indexOf(host)]!)).logins, 3, host.release),
    );
    const last = await entries("-n", "7", "counter");
    assert.equal(last.length, 7);
    assert.equal((await run("logs", "-p", "err", "-o", "cat", "-n", "3", "worker")).stdout, "bad 1\n".repeat(3));
    assert.match(
      (await run("logs", "-n", "1", "counter")).stdout,
      /^[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d (bookworm|bullseye|trixie) sh\[\d+\]: line \d+\n$/,
    );
  });

  test("logs: of one run, and of the time of one generation", async () => {
    const host = fleet.hosts[0]!;
    const invocation = (await host.output("systemctl show -P InvocationID worker.service")).trim();
    await fleet.deploy(config(2), secrets);
    const ofRun = await entries("--invocation", invocation);
    assert.deepEqual(
      ofRun.map(({ __CURSOR }) => __CURSOR),
      await cursors(host, `_SYSTEMD_INVOCATION_ID=${invocation} + INVOCATION_ID=${invocation}`),
    );
    assert.ok(ofRun.length > 2);
    const said = async (generation: string) =>
      (await run("logs", "--generation", generation, "-p", "err", "-o", "cat", "worker")).stdout;
    assert.equal(await said("0"), "bad 2\n".repeat(fleet.hosts.length));
    assert.equal(await said("2"), "bad 2\n".repeat(fleet.hosts.length));
    assert.match(await said("-1"), /^(bad 1\n)+$/);
    const none = await run("logs", "--generation", "9", "worker");
    assert.equal(none.code, 2);
    assert.match(none.stderr, /^bookworm: generation 9 of pulumi-systemd\/dev\/bookworm is not kept; kept are: 1, 2$/m);
  });

  test("logs: what health checks told, from afar and on the host", async () => {
    await onAll((host) =>
      host.output("touch /srv/ill; until pulumi-systemd-host health --json | grep -q '\"told\"'; do sleep 0.2; done"),
    );
    const all = await run("health", "log", "-o", "json");
    await onAll(async (host) => {
      const own = ofHost(entriesOf(all.stdout), host);
      assert.ok(own.some(({ PULUMI_SYSTEMD_EVENT: event }) => event === "outage"));
      assert.ok(own.every(({ PULUMI_SYSTEMD_CHECK: check }) => check === "api-health"));
      assert.match(
        await host.output("pulumi-systemd-host health log -o cat -n 5 api-health"),
        /^api-health: not well, 1 check failed: /m,
      );
      const nobody = await host.run("pulumi-systemd-host health log nobody");
      assert.deepEqual([nobody.code, nobody.stderr.includes("nobody is no check on this host")], [1, true]);
    });
    const nobody = await run("health", "log", "nobody");
    assert.deepEqual([nobody.code, nobody.stderr], [2, "no host that answered has nobody\n"]);
  });

  test("logs: what cannot be asked for is said in journalctl's own words, and by name", async () => {
    const badTime = await run("logs", "--since", "never", "worker");
    assert.equal(badTime.code, 2);
    assert.match(badTime.stderr, /^bullseye: Failed to parse timestamp: never$/m);
    const nobody = await run("logs", "nobody");
    assert.deepEqual([nobody.code, nobody.stderr], [2, "no host that answered has nobody\n"]);
    const both = await run("logs", "--generation", "1", "--since", "today");
    assert.deepEqual([both.code, both.stderr], [1, "--generation is a time already: leave out --since and --until\n"]);
  });

  test("logs: followed over a link that is cut, and over a lost connection: nothing twice and nothing missed", async () => {
    const [cut, killed] = fleet.hosts as [SandboxHost, SandboxHost];
    const follow = started("logs", "-f", "-n", "0", "-o", "json", "counter");
    const count = (host: SandboxHost) => ofHost(entriesOf(follow.stdout), host).length;
    const more = async () => {
      const before = fleet.hosts.map(count);
      await until(follow, () => fleet.hosts.every((host, index) => count(host) > before[index]! + 20));
    };
    try {
      await more();
      await cut.cutLink();
      await killed.output("pkill --full '^sshd[^ ]*: deploy@notty'");
      await until(follow, () => new RegExp(`^${cut.release}: .*; trying again$`, "m").test(follow.stderr));
      await cut.restoreLink();
      await until(follow, () =>
        [cut, killed].every(({ release }) => follow.stderr.includes(`${release}: the connection is there again`)),
      );
      await more();
    } finally {
      await cut.restoreLink();
      await follow.stop();
    }
    for (const host of fleet.hosts) {
      const numbers = ofHost(entriesOf(follow.stdout), host).map(({ MESSAGE }) => Number(String(MESSAGE).slice(5)));
      const wanted = numbers.map((_, index) => numbers[0]! + index);
      assert.deepEqual(numbers, wanted, host.release);
    }
    await onAll((host) => host.output("until ! pgrep --exact journalctl; do sleep 0.2; done", { timeoutSec: 60 }));
  });

  test("logs: nothing is left on a host where nothing is written, once nobody follows any more", async () => {
    const follow = started("logs", "-f", "-n", "99", "worker");
    await until(follow, () => fleet.hosts.every(({ release }) => follow.stdout.includes(` ${release} `)));
    await follow.stop();
    await onAll((host) => host.output("until ! pgrep --exact journalctl; do sleep 0.2; done", { timeoutSec: 30 }));
  });

  test("every command of docs/status-and-logs.md, and those of health.md does what it says", async () => {
    const commands = [...docs.matchAll(/^pulumi-systemd (.*)$/gm)].map(([, words = ""]) => words);
    assert.ok(commands.length > 3);
    for (const words of commands) {
      const host = fleet.hosts[0]!.release;
      const here = words
        .replace(/ --stack prod/, "")
        .replace(/\bweb1\b/, host)
        .replace(/\bshop\b/, "api-health")
        // One that writes all the time; the other may be silent since then.
        .replace(/--generation 0 api$/, "--generation 0 worker");
      const own = splitWords(here);
      const running = started(...own);
      const isEndless = own.some((word) => ["--watch", "-f", "--follow"].includes(word));
      if (isEndless) await until(running, () => running.stdout !== "");
      const ended = await (isEndless ? running.stop() : running.ended);
      assert.ok(isEndless || ended.code === 0 || ended.code === 1, `${words}: ${ended.code} ${ended.stderr}`);
      assert.deepEqual([ended.stderr, ended.stdout === ""], ["", false], words);
    }
  });
});

interface Entry {
  readonly __CURSOR: string;
  readonly __REALTIME_TIMESTAMP: string;
  readonly MESSAGE?: unknown;
  readonly PULUMI_SYSTEMD_HOST?: string;
  readonly PULUMI_SYSTEMD_EVENT?: string;
  readonly PULUMI_SYSTEMD_CHECK?: string;
}

/** Every entry of what was printed so far. */
function entriesOf(text: string): Entry[] {
  const [...whole] = text.split("\n").slice(0, -1);
  return whole.map((line) => JSON.parse(line));
}

/** Waits until something holds, with what the command said where it never does. */
async function until(command: RunningCommand, holds: () => boolean, seconds = 60): Promise<void> {
  for (let waited = 0; !holds(); waited += 0.1) {
    assert.ok(waited < seconds, `${command.stdout.slice(-3000)}\n${command.stderr.slice(-3000)}`);
    await sleep(100);
  }
}
