import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { SandboxHost } from "../../sandbox/host.ts";
import { exampleConfig } from "./example.ts";
import { awaited, shown } from "./facts.ts";
import { bootedFleet, type Fleet, testOnEachHost } from "./fleet.ts";

const day = 24 * 3600;
const threeOclock = 3 * 3600;
const jitter = 600;
const stamp = "/var/lib/systemd/timers/stamp-myscript.timer";

/** Due every second, and busy for more than two. */
const crowded = {
  onCalendar: "*:*:*",
  service: {
    exec: ["/bin/sh", "-c", 'exec >>"$STATE_DIRECTORY/log"; echo begin of $$; sleep 2.2; echo end of $$'],
  },
};

/** Never due in this test: it is made to elapse by hand. A run of it takes a second, and hangs where a file says so. */
const queued = {
  onCalendar: "*-02-29",
  onOverlap: "queue",
  timeoutSec: "4s",
  service: {
    exec: [
      "/bin/sh",
      "-c",
      'exec >>"$STATE_DIRECTORY/log"; if test -e "$STATE_DIRECTORY/hang"; then echo hang; exec sleep 60; fi; echo begin; sleep 1.5; echo end',
    ],
  },
};

suite("examples/critical-service: a script at 03:00", { timeout: 300_000 }, () => {
  let fleet: Fleet;
  let myscript: Record<string, unknown>;
  before(async () => {
    fleet = await bootedFleet();
    myscript = (await exampleConfig(fleet.stack, "critical-service")).timers!.myscript!;
    await fleet.deploy({ timers: { myscript } });
  });
  after(() => fleet?.down());

  testOnEachHost(
    "a new timer waits and has run nothing",
    () => fleet,
    async (host) => {
      const facts = ["ActiveState", "SubState", "UnitFileState", "RandomizedDelayUSec", "Persistent"] as const;
      assert.deepEqual(await shown(host, "myscript.timer", ...facts), {
        ActiveState: "active",
        SubState: "waiting",
        UnitFileState: "enabled",
        RandomizedDelayUSec: "10min",
        Persistent: "yes",
      });
      assert.equal(await runs(host), 0);
      assert.equal((await shown(host, "redis-server.service", "ActiveState")).ActiveState, "inactive");
    },
  );

  testOnEachHost(
    "each start of it draws another delay after 03:00, of 10 minutes at most",
    () => fleet,
    async (host) => {
      const delays: number[] = [];
      for (let draw = 0; draw < 6; draw++) {
        // More than 5 starts within 10 s are refused, of a timer too.
        await host.output("systemctl reset-failed myscript.timer; systemctl restart myscript.timer");
        const elapse = await nextElapse(host, "myscript.timer");
        const ahead = elapse - (await now(host));
        assert.ok(ahead > 0 && ahead <= day + jitter, `the next run is ${ahead} s ahead`);
        delays.push((elapse % day) - threeOclock);
      }
      assert.ok(
        delays.every((delay) => delay >= 0 && delay <= jitter),
        `seconds after 03:00: ${delays}`,
      );
      assert.ok(new Set(delays).size > 1, `six draws are all ${delays[0]} s`);
      assert.equal(await runs(host), 0);
    },
  );

  test("the jitter goes, while the last run is three days ago", async () => {
    await Promise.all(fleet.hosts.map((host) => host.output(`touch --date='3 days ago' ${stamp}`)));
    await fleet.deploy({ timers: { myscript: { ...myscript, randomizedDelaySec: "0" }, crowded, queued } });
  });

  testOnEachHost(
    "it elapses at 03:00 sharp, and the change has run nothing",
    () => fleet,
    async (host) => {
      assert.equal((await nextElapse(host, "myscript.timer")) % day, threeOclock);
      assert.equal(await runs(host), 0);
    },
  );

  testOnEachHost(
    "two runs never overlap, not even when a person starts one",
    () => fleet,
    async (host) => {
      const log = async () => (await host.output("cat /var/lib/crowded/log 2>/dev/null || true")).trimEnd().split("\n");
      await awaited("two runs", 20, async () => (await log()).length >= 4);
      await awaited("another run", 20, async () => {
        const { ActiveState } = await shown(host, "crowded.service", "ActiveState");
        return ActiveState === "activating";
      });
      await host.output("systemctl start crowded.service");
      await host.output("systemctl stop crowded.timer");
      await awaited("the last run has ended", 20, async () => {
        const { ActiveState } = await shown(host, "crowded.service", "ActiveState");
        return ActiveState === "inactive";
      });
      const said = await log();
      const runs = said.filter((line) => line.startsWith("begin")).map((line) => line.replace("begin of ", ""));
      assert.deepEqual(
        said,
        runs.flatMap((pid) => [`begin of ${pid}`, `end of ${pid}`]),
      );
    },
  );

  testOnEachHost(
    "of the runs that are due while one is under way, one waits for its end, also when it hangs until its bound",
    () => fleet,
    async (host) => {
      const due = () => host.output("systemctl start --no-block queued-due.service");
      const log = async () => (await host.output("cat /var/lib/queued/log 2>/dev/null || true")).trimEnd().split("\n");
      const atWork = async () => (await shown(host, "queued.service", "ActiveState")).ActiveState === "activating";
      const idle = async () => {
        const { ActiveState: work } = await shown(host, "queued.service", "ActiveState");
        const { ActiveState: queue } = await shown(host, "queued-due.service", "ActiveState");
        return work !== "activating" && queue !== "activating";
      };
      await due();
      await awaited("the first run", 10, atWork);
      for (let time = 0; time < 3; time++) await due();
      await awaited("two runs", 20, async () => (await log()).length >= 4 && (await idle()));
      await sleep(500);
      assert.deepEqual(await log(), ["begin", "end", "begin", "end"]);

      await host.output("touch /var/lib/queued/hang");
      await due();
      await awaited("the run that hangs", 10, async () => (await log()).at(-1) === "hang");
      await due();
      await host.output("rm /var/lib/queued/hang");
      await awaited("the run that waited", 20, async () => (await log()).length >= 7 && (await idle()));
      assert.deepEqual((await log()).slice(4), ["hang", "begin", "end"]);
      assert.equal((await shown(host, "queued.service", "Result")).Result, "success");
    },
  );

  testOnEachHost(
    "a run that the host slept through is made up for at boot, once",
    () => fleet,
    async (host) => {
      await host.output(`touch --date='3 days ago' ${stamp}; sync`);
      await host.powerOff();
      await host.boot();
      await awaited("the run is made up for", 30, async () => (await runs(host)) === 1);
      await sleep(2000);
      assert.equal(await runs(host), 1);
      assert.equal((await nextElapse(host, "myscript.timer")) % day, threeOclock);
      // What the script requires came up before it.
      const redis = await shown(host, "redis-server.service", "ActiveState");
      assert.equal(redis.ActiveState, "active");

      // A second start of the timer finds nothing to make up for.
      await host.output("systemctl restart myscript.timer");
      await sleep(1000);
      assert.equal(await runs(host), 1);
    },
  );

  testOnEachHost(
    "the article's comments behind the values cost it jitter and catch-up",
    () => fleet,
    async (host) => {
      const article = [
        "[Timer]",
        "OnCalendar=*-*-* 03:00:00",
        "RandomizedDelaySec=600 # 10 dk",
        "Persistent=true # acilinca",
        "",
      ];
      await host.writeFile("/run/systemd/system/article.timer", article.join("\n"));
      await host.writeFile("/run/systemd/system/article.service", "[Service]\nExecStart=/bin/true\n");
      await host.output("systemctl daemon-reload");
      assert.deepEqual(await shown(host, "article.timer", "RandomizedDelayUSec", "Persistent"), {
        RandomizedDelayUSec: "0",
        Persistent: "no",
      });
    },
  );

  test("a daemon that becomes a timer's job ends, and the deployment does not run the job", async () => {
    await fleet.deploy({ timers: { myscript }, services: { once: { exec: ["/bin/sleep", "infinity"] } } });
    const job = { exec: ["/bin/sh", "-c", 'echo ran >>"$STATE_DIRECTORY/log"'] };
    await fleet.deploy({ timers: { myscript, once: { onCalendar: "*-02-29", service: job } } });
    for (const host of fleet.hosts) {
      assert.equal((await shown(host, "once.service", "ActiveState")).ActiveState, "inactive");
      assert.equal((await shown(host, "once.timer", "SubState")).SubState, "waiting");
      assert.equal(await host.output("find /var/lib/once/ -name log"), "");
    }
  });

  test("destroy leaves nothing behind", () =>
    fleet.destroy(["myscript", "crowded", "queued", "redis", "once"].map((name) => `/var/lib/${name}`)));
});

/** How often the script has run on this host, over all its boots. */
async function runs(host: SandboxHost): Promise<number> {
  return Number(await host.output("cat /var/lib/myscript/reports 2>/dev/null | wc -l"));
}

/** When a timer elapses next, in seconds since the epoch. */
async function nextElapse(host: SandboxHost, timer: string): Promise<number> {
  const { NextElapseUSecRealtime: text } = await shown(host, timer, "NextElapseUSecRealtime");
  const [, date, time] = /^\w{3} (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC$/.exec(text) ?? [];
  assert.ok(date !== undefined, `${timer} elapses next at ${JSON.stringify(text)}`);
  return Date.parse(`${date}T${time}Z`) / 1000;
}

async function now(host: SandboxHost): Promise<number> {
  return Number(await host.output("date +%s"));
}
