import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { SandboxHost } from "../../sandbox/host.ts";
import { awaited, shown } from "./facts.ts";
import { bootedFleet, type Fleet, testOnEachHost } from "./fleet.ts";

const programs = join(import.meta.dirname, "programs");
const command = "pulumi-systemd-host health";
const secret = `never-told-${process.pid}`;
const url = "http://127.0.0.1:8000/";
const far = ["2099-01-01 00:00:00"];

const config = {
  pythonServices: {
    wrong: { source: programs, exec: ["python", "wrong.py"], service: { StateDirectory: "wrong" } },
    receiver: {
      directory: "/opt/wrong/current",
      exec: ["python", "receiver.py"],
      service: { StateDirectory: "receiver" },
    },
  },
  services: {
    looping: {
      exec: [
        "/bin/sh",
        "-c",
        "test ! -e /var/lib/looping/crash || { echo it cannot start; exit 1; }; exec sleep infinity",
      ],
      user: "root",
      restartSec: "200ms",
      service: { StateDirectory: "looping" },
    },
    failing: {
      type: "oneshot",
      onDemand: true,
      exec: [
        "/usr/bin/python3",
        "-c",
        "import os; print('the key is', os.environ['KEY'], flush=True); raise SystemExit(3)",
      ],
      secretEnvironment: { KEY: "set apart" },
      unit: { OnFailure: "ops@%n.service" },
    },
  },
  timers: {
    tick: {
      onCalendar: "*:*:0/5",
      service: {
        exec: ["/bin/sh", "-c", "test -e /var/lib/tick/hang && sleep 600; ! test -e /var/lib/tick/fail"],
        user: "root",
        service: { StateDirectory: "tick" },
      },
    },
  },
  notifiers: {
    pings: { webhooks: { checks: { url: "http://127.0.0.1:8025/ping/id", shape: "ping" } } },
    ops: {
      mail: { host: "127.0.0.1", port: 2525, security: "none", from: "web@example.org", to: ["ops@example.org"] },
      webhooks: { hook: { url: "http://127.0.0.1:8025/" } },
    },
  },
  healthChecks: {
    // It is due when the test says so.
    watch: {
      checks: {
        wrong: { unit: "wrong.service", http: { url } },
        disk: { disk: { minFreePercent: 0.001 } },
      },
      onCalendar: far,
      failAfter: 1,
      graceSec: "0",
      backoffSec: "0",
      maxActions: 3,
      withinSec: "1h",
      notify: ["ops"],
    },
    loops: { unit: "looping.service", graceSec: "5s", onCalendar: far, notify: ["ops"] },
    runs: { runsOf: "tick.timer", graceSec: "10s", onCalendar: far, notify: ["ops", "pings"] },
    often: { unit: "receiver.service", tcp: { port: 2525 }, everySec: "1s" },
  },
};

interface Seen {
  check: string;
  state: string;
  status: string;
  checked: number;
  actionsLeft: number;
  history: { event: string; text: string }[];
}

async function checkNow(host: SandboxHost, times = 1): Promise<void> {
  // The checks' own program, without the way through the command: many in a row are quick.
  const program = "python3 -I /usr/local/lib/pulumi-systemd/health/pulumi-systemd-dev.py";
  const line = `for run in $(seq ${times}); do ${program} check watch >/dev/null || exit 1; done`;
  await host.output(line, { timeoutSec: 300 });
}

async function status(host: SandboxHost, check: string): Promise<Seen> {
  const [seen]: Seen[] = JSON.parse(await host.output(`${command} status --json ${check}`));
  assert.ok(seen);
  return seen;
}

async function starts(host: SandboxHost): Promise<number> {
  return Number(await host.output("wc -l < /var/lib/private/wrong/starts"));
}

/** What was received in both ways so far, when so many things were, in any order. */
async function received(host: SandboxHost, count: number): Promise<string[]> {
  const file = "/var/lib/private/receiver/received";
  return awaited(`${count} messages on ${host.name}`, 30, async () => {
    const lines = (await host.output(`cat ${file} 2>/dev/null || true`)).split("\n").filter((line) => line !== "");
    const found = lines.map((line): { way: string; title: string } => JSON.parse(line));
    return found.length >= count && found.map(({ way, title }) => `${way}: ${title}`).sort();
  });
}

async function rebooted(host: SandboxHost): Promise<void> {
  await host.powerOff();
  await host.boot();
  await awaited("wrong.service and the receiver run", 30, async () => {
    const answer = await host.run(`curl -s -o /dev/null ${url} && (echo QUIT >/dev/tcp/127.0.0.1/2525)`);
    return answer.code === 0;
  });
}

suite("health checks on a host", { timeout: 600_000 }, () => {
  let fleet: Fleet;
  before(async () => {
    fleet = await bootedFleet();
    await fleet.deploy(config, { "services.failing.secretEnvironment.KEY": secret });
  });
  after(() => fleet?.down());

  testOnEachHost(
    "what is well is left alone, and a check with a timer comes by itself",
    () => fleet,
    async (host) => {
      await checkNow(host);
      const { state, actionsLeft, history } = await status(host, "watch/wrong");
      assert.deepEqual({ state, actionsLeft, history }, { state: "healthy", actionsLeft: 3, history: [] });
      assert.equal(await starts(host), 1);
      const first = await awaited("a check by the timer", 15, async () => {
        const seen = await status(host, "often");
        return seen.state === "healthy" && seen;
      });
      await awaited(
        "the next check by the timer",
        15,
        async () => (await status(host, "often")).checked > first.checked,
      );
      assert.equal(await host.output("systemctl --failed --no-legend --plain"), "");
    },
  );

  testOnEachHost(
    "at most 3 actions in 50 runs over two reboots; told once, and of the recovery",
    () => fleet,
    async (host) => {
      await host.output("touch /var/lib/private/wrong/bad");
      await checkNow(host, 2);
      await rebooted(host);
      await checkNow(host, 24);
      await rebooted(host);
      await checkNow(host, 24);
      // Once by the deploy, twice by a boot, three times by the check.
      assert.equal(await starts(host), 6);
      const seen = await status(host, "watch/wrong");
      assert.deepEqual([seen.state, seen.actionsLeft], ["open", 0], seen.status);
      const events = seen.history.map(({ event }) => event);
      assert.deepEqual(events, ["outage", "action", "action", "action", "open"]);
      await host.output("rm /var/lib/private/wrong/bad");
      await checkNow(host);
      const name = await host.output("hostname");
      const titles = ["not well", "given up for now", "recovered"].map(
        (what) => `mail: ${name.trim()}: watch/wrong ${what}`,
      );
      const hooks = ["open", "outage", "recovered"].map((what) => `webhook: watch/wrong ${what}`);
      assert.deepEqual(await received(host, 6), [...titles, ...hooks].sort());
    },
  );

  testOnEachHost(
    "a unit that a person stopped stays stopped, and a hold holds",
    () => fleet,
    async (host) => {
      const before = await starts(host);
      await host.output("systemctl stop wrong.service");
      await checkNow(host);
      assert.equal((await status(host, "watch/wrong")).state, "stopped");
      assert.equal((await shown(host, "wrong.service", "ActiveState")).ActiveState, "inactive");
      await host.output("systemctl start wrong.service");
      await host.output("pulumi-systemd-host health hold 30m");
      await host.output("touch /var/lib/private/wrong/bad");
      await checkNow(host);
      const table = await host.output("pulumi-systemd-host health");
      assert.match(table, /^watch\/wrong +held .* 0 of 3 left in 1 h +none, held for (30|29) min/m);
      assert.match(table, /^often +healthy, held /m);
      const told: { stack: string; check: string; state: string; history: unknown[] }[] = JSON.parse(
        await host.output("pulumi-systemd-host health --json"),
      );
      const [wrong] = told.filter(({ check }) => check === "watch/wrong");
      assert.deepEqual([told.length, wrong?.stack, wrong?.state], [5, "pulumi-systemd-dev", "held"]);
      assert.equal(wrong?.history.length, 6);
      await host.output("rm /var/lib/private/wrong/bad; pulumi-systemd-host health resume");
      assert.equal(await starts(host), before + 1);
    },
  );

  testOnEachHost(
    "the journal has it with fields, also under the unit that it is about",
    () => fleet,
    async (host) => {
      const found = await host.output(
        "journalctl --sync; journalctl -q -o cat -u wrong.service PULUMI_SYSTEMD_EVENT=recovered | grep -c recovered",
      );
      assert.equal(found, "1\n");
    },
  );

  testOnEachHost(
    "a unit that fails tells its result and its journal without its secret",
    () => fleet,
    async (host) => {
      const before = (await received(host, 6)).length;
      await host.run("systemctl start failing.service");
      await received(host, before + 2);
      const [line = "{}"] = (await host.output("grep failing /var/lib/private/receiver/received | grep mail")).split(
        "\n",
      );
      const { title, text } = JSON.parse(line);
      assert.match(title, /: failing\.service failed$/);
      assert.match(text, /^failing\.service \(failing\) failed: result exit-code, exit status 3$/m);
      assert.match(text, /the key is \[secret\]$/m);
      const kept = await host.run(`grep -rl ${secret} /var/lib/pulumi-systemd-notify /var/lib/pulumi-systemd-health`);
      assert.equal(kept.stdout, "");
    },
  );

  testOnEachHost(
    "a unit that systemd restarts without end is told once, left alone, and its recovery is told",
    () => fleet,
    async (host) => {
      const check = () => host.output(`${command} check loops`);
      await check();
      const restarts = async () => Number((await shown(host, "looping.service", "NRestarts")).NRestarts);
      await host.output("touch /var/lib/looping/crash; systemctl kill --signal=KILL looping.service");
      for (let look = 0; look < 4; look++) {
        const before = await restarts();
        await awaited("one more restart", 20, async () => (await restarts()) > before);
        await check();
      }
      const loop = await status(host, "loops");
      assert.match(loop.status, /^not well, systemd restarts it by itself: systemd has restarted it \d+ times$/);
      await host.output("rm /var/lib/looping/crash");
      const { history } = await awaited("a recovery", 40, async () => {
        await check();
        const seen = await status(host, "loops");
        return seen.state === "healthy" && seen;
      });
      assert.deepEqual(
        history.map(
          ({ event, text }) =>
            `${event}: ${text.replace(/\d+ times$/, "N times").replace(/after .* s,/, "after a while,")}`,
        ),
        [
          "outage: not well, it fails again and again: systemd has restarted it N times",
          "recovered: recovered after a while, 0 actions",
        ],
      );
      const file = "/var/lib/private/receiver/received";
      await awaited(
        "the mails",
        20,
        async () => (await host.output(`grep -c '"mail".*: loops ' ${file} || true`)) === "2\n",
      );
      assert.match(await host.output(`grep 'loops not well' ${file}`), /it cannot start/);
    },
  );

  testOnEachHost(
    "a run of a timer that fails, or does not take place, is told, and the next that does well",
    () => fleet,
    async (host) => {
      const told = async (state: string, seconds: number) =>
        awaited(`the runs of ${host.name} are ${state}`, seconds, async () => {
          await host.output(`${command} check runs`);
          const seen = await status(host, "runs");
          return seen.state === state && { last: seen.history.at(-1)?.text ?? "" };
        });
      await awaited("a first run", 20, async () => {
        const { InactiveExitTimestampMonotonic } = await shown(host, "tick.service", "InactiveExitTimestampMonotonic");
        return InactiveExitTimestampMonotonic !== "0";
      });
      await told("healthy", 10);
      await host.output("touch /var/lib/tick/fail");
      const failed = await told("told", 20);
      assert.match(failed.last, /: tick\.timer: the run of .* UTC failed: exit-code, exit status 1$/);
      await host.output("rm /var/lib/tick/fail");
      assert.match((await told("healthy", 20)).last, /^recovered after /);
      await host.output("touch /var/lib/tick/hang");
      const missed = await told("told", 60);
      assert.match(
        missed.last,
        /: tick\.timer: the run that was due at .* did not take place, since the run before it had not ended$/,
      );
      await host.output("rm /var/lib/tick/hang; systemctl restart tick.service");
      await told("healthy", 20);
      await host.output("systemctl stop tick.timer");
      assert.match((await told("told", 10)).last, /tick\.timer: it is inactive, so nothing runs at its times$/);
      const mails = await host.output("grep -c '\"mail\".*: runs not well' /var/lib/private/receiver/received");
      assert.equal(mails, "3\n");
      const pings = (await host.output("grep '\"ping\"' /var/lib/private/receiver/received"))
        .trimEnd()
        .split("\n")
        .map((line): { title: string; text: string } => JSON.parse(line));
      // Of each run that a check saw: its start, and its end when a later check saw that. After the last one came none.
      const starts = pings.filter(({ title }) => title === "/ping/id/start");
      const wells = pings.filter(({ title }) => title === "/ping/id");
      const fails = pings.filter(({ title }) => title === "/ping/id/fail");
      assert.equal(starts.length + wells.length + fails.length, pings.length);
      assert.ok(wells.length >= 1 && fails.length >= 1 && starts.length >= wells.length, JSON.stringify(pings));
      assert.match(fails[0]?.text ?? "", /^the run of .* UTC failed: exit-code, exit status 1\n[\s\S]*tick.service/);
    },
  );

  test("destroy leaves nothing but data", () =>
    fleet.destroy([
      ...[
        "/var/lib/private",
        "/var/lib/wrong",
        "/var/lib/receiver",
        "/var/lib/failing",
        "/var/lib/tick",
        "/var/lib/looping",
      ],
      ...["/var/lib/pulumi-systemd-health", "/var/lib/pulumi-systemd-notify"],
      ...["/var/log/pulumi-systemd-health", "/run/pulumi-systemd/health"],
    ]));
});
