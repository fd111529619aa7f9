import assert from "node:assert/strict";
import { appendFileSync, copyFileSync, cpSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { HostSummary } from "../../program/summary.ts";
import { systemdVersion } from "../../sandbox/release.ts";
import { shown } from "./facts.ts";
import { bootedFleet, type Fleet, testOnEachHost } from "./fleet.ts";
import { type Listing, listing, listingChanges } from "./listing.ts";
import {
  allChangesSince,
  changesSince,
  ledger,
  type Observation,
  observedAll,
  onEach,
  untouched,
} from "./observation.ts";
import { connectionOf } from "./stack.ts";

const repository = join(import.meta.dirname, "..", "..");
const secrets = { "pythonServices.hello.secretEnvironment.API_KEY": "deploy-test-key" };
/** Directories of the services: a destroy keeps them by design. */
const data = [
  ...["/var/lib/hello", "/var/lib/hello-report", "/var/lib/pulumi-systemd-health", "/var/lib/pulumi-systemd-notify"],
  "/var/log/pulumi-systemd-health",
  // What the last checks saw, until the next boot.
  "/run/pulumi-systemd/health",
];
const checks = "pulumi-systemd-health-pulumi-systemd-dev.service";
/** It runs by its own timer, whatever Pulumi does. */
const byItself = /^(stopped )?pulumi-systemd-health-pulumi-systemd-dev\.service$/;

type Definitions = Record<string, Record<string, Record<string, unknown>>>;

suite("the stack of Pulumi.dev.yaml", { timeout: 400_000 }, () => {
  let fleet: Fleet;
  let config: Definitions;
  let code: string;
  let listings: Listing[];
  let start: Observation[];

  const changes = async (since: readonly Observation[]) => {
    const all = await allChangesSince(since);
    const started = (units: readonly string[]) => units.filter((unit) => !byItself.test(unit));
    return Object.fromEntries(
      Object.entries(all).map(([release, one]) => [release, { ...one, started: started(one.started) }]),
    );
  };

  before(async () => {
    fleet = await bootedFleet();
    code = join(fleet.stack.folder, "hello");
    cpSync(join(repository, "examples", "hello"), code, { recursive: true });
    config = await devConfig(fleet, code);
    listings = await Promise.all(fleet.hosts.map((host) => listing(host, data)));
    start = await observedAll(fleet.hosts, [ledger, ...data]);
    await fleet.deploy(config, secrets);
  });
  after(() => fleet?.down());

  testOnEachHost(
    "every unit runs and is enabled as asked",
    () => fleet,
    async (host) => {
      const facts = ["LoadState", "ActiveState", "SubState", "UnitFileState", "NeedDaemonReload"] as const;
      const units = [
        "hello.service",
        "hello.socket",
        "hello-report.timer",
        "hello-report.service",
        "hello-health.timer",
      ];
      const states = await Promise.all(units.map(async (unit) => [unit, await shown(host, unit, ...facts)]));
      const state = (ActiveState: string, SubState: string, UnitFileState: string) => ({
        LoadState: "loaded",
        ActiveState,
        SubState,
        UnitFileState,
        NeedDaemonReload: "no",
      });
      assert.deepEqual(Object.fromEntries(states), {
        "hello.service": state("active", "running", "enabled"),
        "hello.socket": state("active", "running", "enabled"),
        "hello-report.timer": state("active", "waiting", "enabled"),
        "hello-report.service": state("inactive", "dead", "static"),
        "hello-health.timer": state("active", "waiting", "enabled"),
      });
      assert.equal(await host.output("systemctl --failed --no-legend --plain"), "");
      // It is due in hours, and not before.
      assert.equal((await shown(host, "hello-report.service", "InvocationID")).InvocationID, "");
    },
  );

  testOnEachHost(
    "the app answers over HTTP and has its secret",
    () => fleet,
    async (host) => {
      const answer = await fetch(`http://${host.address}:8000/`, { signal: AbortSignal.timeout(20_000) });
      const { MainPID } = await shown(host, "hello.service", "MainPID");
      assert.deepEqual(await answer.json(), {
        message: `hello from ${host.name}`,
        pid: Number(MainPID),
        has_key: true,
      });
    },
  );

  testOnEachHost(
    "its account, its code and its secret are as asked",
    () => fleet,
    async (host) => {
      const account = await host.output("getent passwd hello");
      assert.match(
        account,
        /^hello:[x!*]+:[1-9]\d\d:[1-9]\d\d:pulumi-systemd:\/var\/lib\/hello:\/usr\/sbin\/nologin\n$/,
      );
      assert.match(await host.output("readlink /opt/hello/current"), /^\/opt\/hello\/releases\/[0-9a-f]{16}\n$/);
      const files = [
        "/etc/pulumi-systemd",
        "/etc/pulumi-systemd/hello.env",
        "/opt/hello/current/hello/__main__.py",
        "/var/lib/hello",
      ];
      const facts = await host.output(`stat --format='%n %F %a %U:%G' ${files.join(" ")}`);
      assert.deepEqual(facts.trimEnd().split("\n"), [
        "/etc/pulumi-systemd directory 755 root:root",
        "/etc/pulumi-systemd/hello.env regular file 600 root:root",
        "/opt/hello/current/hello/__main__.py regular file 644 root:root",
        "/var/lib/hello directory 755 hello:hello",
      ]);
      assert.equal((await shown(host, "hello.service", "User")).User, "hello");
      assert.equal(await host.output("ls -A /home/deploy | grep pulumi || true"), "", "the uploaded archive is left");
    },
  );

  testOnEachHost(
    "systemd-analyze security gives each Python service 2.0 at most",
    () => fleet,
    async (host) => {
      for (const service of ["hello.service", "hello-report.service"]) {
        const text = await host.output(`systemd-analyze security --no-pager ${service}`);
        const [, score] = /Overall exposure level for \S+: (\d+\.\d)/.exec(text) ?? [];
        assert.ok(Number(score) <= 2.0, `${service} scores ${score}:\n${text}`);
      }
    },
  );

  test("it took three connections to each host, two of them for the host program and the code, and one daemon-reload", async () => {
    const seen = await changes(start);
    assert.deepEqual(
      Object.fromEntries(
        Object.entries(seen).map(([release, { logins, daemonReloads }]) => [release, { logins, daemonReloads }]),
      ),
      onEach(fleet.hosts, { logins: 3, daemonReloads: 1 }),
    );
  });

  test("the receipts say what was done", async () => {
    const found = await receipts(fleet);
    for (const { units } of Object.values(found)) {
      delete units[checks];
      delete units["hello-health.timer"];
    }
    assert.deepEqual(
      found,
      onEach(fleet.hosts, ({ release }) => ({
        generation: 1,
        systemd: systemdVersion[release],
        units: {
          "hello-report.service": "inactive (dead)",
          "hello-report.timer": "active (waiting)",
          "hello.service": "active (running)",
          "hello.socket": "active (running)",
        },
        did: [
          ...["hello-report.service", checks].map((unit) => `reload-manager ${unit}: new`),
          ...["hello-health.timer", "hello-report.timer", "hello.service", "hello.socket"].map(
            (unit) => `enable ${unit}: new`,
          ),
          ...["hello-health.timer", "hello-report.timer", "hello.service", "hello.socket"].map(
            (unit) => `start ${unit}: new`,
          ),
        ],
      })),
    );
  });

  test("a second up opens no connection and changes nothing", async () => {
    const before = await observedAll(fleet.hosts, [ledger, ...data]);
    const run = await fleet.deploy(config, secrets);
    assert.match(run.output, /^Resources:\n {4}\d+ unchanged\n/m);
    assert.deepEqual(await changes(before), onEach(fleet.hosts, untouched));
  });

  test("an up that has to ask the hosts, and finds nothing different, takes one connection and does nothing", async () => {
    const before = await observedAll(fleet.hosts, [ledger, ...data]);
    const hosts = onEach(fleet.hosts, (host) => ({ connection: connectionOf(host), waitSec: 299 }));
    await fleet.stack.configure({ ...config, hosts }, secrets);
    const run = await fleet.stack.up();
    assert.equal(run.code, 0, run.output);
    assert.deepEqual(await changes(before), onEach(fleet.hosts, { ...untouched, logins: 1 }));
    const generations = Object.values(await receipts(fleet)).map(({ generation }) => generation);
    assert.deepEqual(generations, [1, 1, 1]);
  });

  test("a change of one unit touches that unit alone, in one connection and one daemon-reload", async () => {
    const before = await observedAll(fleet.hosts, [ledger, ...data]);
    config.timers!["hello-report"]!.randomizedDelaySec = "20min";
    await fleet.deploy(config, secrets);
    assert.deepEqual(
      await changes(before),
      onEach(fleet.hosts, {
        logins: 1,
        daemonReloads: 1,
        started: ["hello-report.timer"],
        files: ["changed /etc/systemd/system/hello-report.timer (content)"],
      }),
    );
  });

  test("new code restarts its services alone, and the socket stays open", async () => {
    const before = await observedAll(fleet.hosts, [ledger, ...data]);
    appendFileSync(join(code, "hello", "notify.py"), "\n# Another release.\n");
    await fleet.deploy(config, secrets);
    const seen = await changes(before);
    for (const one of Object.values(seen)) {
      assert.deepEqual([one.logins, one.daemonReloads, one.started], [2, 1, ["hello.service"]]);
      const places = new Set(one.files.map((line) => line.replace(/[0-9a-f]{16}.*/, "RELEASE")));
      assert.deepEqual(
        [...places],
        [
          "changed /etc/systemd/system/hello.service (content)",
          "changed /opt/hello/current (content)",
          "new /opt/hello/releases/RELEASE",
        ],
      );
    }
  });

  test("destroy leaves each host as it was before the first up", async () => {
    const before = await observedAll(fleet.hosts, [ledger, ...data]);
    const run = await fleet.stack.destroy();
    assert.equal(run.code, 0, run.output);
    for (const [index, host] of fleet.hosts.entries()) {
      const after = await listing(host, data);
      assert.deepEqual(listingChanges(listings[index]!, after), [], host.release);
      // The second looks whether an update that failed left uploads.
      const { logins, daemonReloads } = await changesSince(before[index]!);
      assert.deepEqual({ logins, daemonReloads }, { logins: 2, daemonReloads: 1 }, host.release);
      assert.equal(await host.output("systemctl --failed --no-legend --plain"), "");
      assert.equal(await host.output("systemctl list-units --all --no-legend --plain 'hello*'"), "");
      assert.equal(await host.output("getent passwd hello; getent group hello; ss -Hltn 'sport = 8000'; true"), "");
    }
  });
});

/** `Pulumi.dev.yaml` as Pulumi itself reads it, with another folder of code, and a report that is not due during the test. */
async function devConfig(fleet: Fleet, source: string): Promise<Definitions> {
  copyFileSync(join(repository, "Pulumi.dev.yaml"), join(fleet.stack.folder, "Pulumi.dev.yaml"));
  const read = await fleet.stack.pulumi("config", "--json");
  assert.equal(read.code, 0, read.output);
  const values: Record<string, { objectValue: Record<string, Record<string, unknown>> }> = JSON.parse(read.stdout);
  const config = Object.fromEntries(
    Object.entries(values).map(([key, { objectValue }]) => [key.replace(/^pulumi-systemd:/, ""), objectValue]),
  );
  config.pythonServices!.hello!.source = source;
  config.timers!["hello-report"]!.onCalendar = `*-*-* ${farHour()}:00:00`;
  return config;
}

/** An hour that is half a day away from now. */
function farHour(): number {
  return (new Date().getUTCHours() + 12) % 24;
}

/** The stack's output `hosts`. */
async function receipts(fleet: Fleet): Promise<Record<string, HostSummary>> {
  const run = await fleet.stack.pulumi("stack", "output", "--json");
  assert.equal(run.code, 0, run.output);
  return JSON.parse(run.stdout).hosts;
}
