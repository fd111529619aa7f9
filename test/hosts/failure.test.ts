import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { diagnosis } from "./diagnosis.ts";
import { journalOf, shown } from "./facts.ts";
import { bootedFleet, type Fleet } from "./fleet.ts";
import { type Listing, listing, listingChanges } from "./listing.ts";
import { allChangesSince, ledger, observedAll, onEach } from "./observation.ts";

/** `StateDirectory=` of the services: systemd makes it at the first start, also at one that fails. */
const data = ["/var/lib/steady", "/var/lib/on-*", "/var/lib/leaver", "/var/lib/newcomer", "/var/lib/shipped"];
const sleeper = { exec: ["/bin/sleep", "infinity"] };
const token = "services.steady.secretEnvironment.TOKEN";

/** Four ways not to come up, and what the update must say of each. */
const faults = {
  "on-file": {
    service: { ...sleeper, environmentFiles: ["/etc/default/nothing-here"] },
    told: "activating (auto-restart); result resources: systemd could not prepare it: a missing EnvironmentFile=, or no more processes or memory",
    journal: "systemd: on-file.service: Failed to load environment files: No such file or directory",
  },
  "on-interpreter": {
    service: { exec: ["/usr/local/bin/no-interpreter"] },
    told: "activating (auto-restart); result exit-code: it ended with a failure; exit status 203/EXEC (the program in Exec...= cannot be executed: missing, not executable, or its interpreter is missing)",
    journal: "systemd: on-interpreter.service: Main process exited, code=exited, status=203/EXEC",
  },
  "on-time": {
    // It hangs, and heeds no SIGTERM.
    service: {
      exec: ["/bin/sh", "-c", "trap '' TERM; while :; do sleep 1; done"],
      type: "notify",
      timeoutStartSec: "1s",
    },
    told: "activating (auto-restart); result timeout: it was not ready, or not stopped, in time (TimeoutStartSec=, TimeoutStopSec=); killed by SIGKILL",
    journal: "systemd: on-time.service: start operation timed out. Killing.",
  },
  "on-user": {
    service: { ...sleeper, user: "nobody-here" },
    told: "activating (auto-restart); result exit-code: it ended with a failure; exit status 217/USER (the user in User= does not exist, or its namespace cannot be made)",
    journal: "systemd: on-user.service: Main process exited, code=exited, status=217/USER",
  },
} as const;
const kinds = Object.keys(faults) as (keyof typeof faults)[];
const victims = kinds.map((kind) => `${kind}.service`);

suite("an update that fails", { timeout: 400_000 }, () => {
  let fleet: Fleet;
  let beginning: Listing[];
  /** What every failed update below starts from, and is back on. */
  const good = {
    services: {
      steady: sleeper,
      leaver: sleeper,
      ...Object.fromEntries(kinds.map((kind) => [kind, sleeper])),
    },
  };
  /** A first update that uploads code and then fails. */
  const unshippable = () => {
    const source = join(fleet.stack.folder, "shipped");
    mkdirSync(source, { recursive: true });
    writeFileSync(join(source, "main.py"), "raise SystemExit('the orders database is gone')\n");
    return {
      services: { steady: sleeper },
      pythonServices: { shipped: { source, exec: ["python", "main.py"], user: "shipped", createUser: true } },
    };
  };
  const wayBack = (state: string) => [
    `The host is back on its previous state (${state}): files, links, enablement and what was running.`,
    "Next: put right what is named above, then run `pulumi up` again.",
  ];

  before(async () => {
    fleet = await bootedFleet(async (host) => {
      await host.writeFile("/usr/local/bin/no-interpreter", "#!/usr/bin/there-is-none\n", 0o755);
    });
    beginning = await Promise.all(fleet.hosts.map((host) => listing(host, data)));
  });
  after(() => fleet?.down());

  test("the first ever leaves the hosts as they were, but for the program and the archives that wait for the next one", async () => {
    const run = await fleet.tried(unshippable());
    assert.equal(run.code, 1, run.output);
    for (const [index, host] of fleet.hosts.entries()) {
      const { told, journal } = diagnosis(run, host.release);
      assert.deepEqual(told, [
        "shipped.service did not stay up",
        "shipped.service: activating (auto-restart); result exit-code: it ended with a failure; exit status 1",
        ...wayBack("as before the first `pulumi up`"),
      ]);
      assert.ok(journal.includes("python3: the orders database is gone"), journal.join("\n"));
      const changes = listingChanges(beginning[index]!, await listing(host, data));
      assert.deepEqual(
        changes.map((line) => line.replaceAll(/[0-9a-f]{16,}/g, "HEX")).sort(),
        ["program", "tar"].map((ending) => `new /home/deploy/.pulumi-systemd-HEX-HEX.${ending}`),
      );
      assert.equal(
        await host.output("systemctl list-units --all --no-legend --plain shipped.service steady.service"),
        "",
      );
    }
  });

  test("the next preview says of each host that it lacks all of it", async () => {
    const { code, output } = await fleet.stack.preview();
    assert.equal(code, 0, output);
    const summary = output.slice(output.indexOf("Diagnostics:"));
    for (const { release } of fleet.hosts) {
      const all = "shipped.service, steady.service, release shipped";
      assert.ok(summary.includes(`${release}: no update of it has succeeded yet; it lacks all of: ${all}\n`), output);
    }
  });

  test("the next, without what failed, succeeds", async () => {
    await fleet.deploy(good, { [token]: "first token" });
  });

  test("units that do not come up are each told with status and journal, and run their old definition again", async () => {
    const before = await observedAll(fleet.hosts, data);
    const run = await fleet.tried(
      {
        services: { ...good.services, ...Object.fromEntries(kinds.map((kind) => [kind, faults[kind].service])) },
      },
      { [token]: "first token" },
    );
    assert.equal(run.code, 1, run.output);
    for (const { release } of fleet.hosts) {
      const { told, journal } = diagnosis(run, release);
      assert.deepEqual(told, [
        "on-file.service, on-interpreter.service, on-time.service and 1 more did not come up",
        ...kinds.map((kind) => `${kind}.service: ${faults[kind].told}`),
        ...wayBack("generation 1"),
      ]);
      for (const kind of kinds) assert.ok(journal.includes(faults[kind].journal), `${release}:\n${journal.join("\n")}`);
    }
    assert.deepEqual(
      await allChangesSince(before),
      onEach(fleet.hosts, { logins: 1, daemonReloads: 2, started: victims, files: [] }),
    );
    for (const host of fleet.hosts) {
      for (const unit of victims) {
        const { ActiveState, MainPID, NeedDaemonReload } = await shown(
          host,
          unit,
          "ActiveState",
          "MainPID",
          "NeedDaemonReload",
        );
        const words = await host.output(`tr '\\0' ' ' < /proc/${MainPID}/cmdline`);
        assert.deepEqual([ActiveState, NeedDaemonReload, words], ["active", "no", "/bin/sleep infinity "]);
      }
      assert.equal(await host.output("systemctl --failed --no-legend --plain"), "");
    }
  });

  test("... without waiting for one that hangs to heed a SIGTERM: it is back long before its stop timeout of 90 s", async () => {
    for (const host of fleet.hosts) {
      const entries = await journalOf(host, "on-time.service");
      const timedOut = entries.find(({ message }) => message.includes("start operation timed out"))?.monotonic;
      const { ActiveEnterTimestampMonotonic } = await shown(host, "on-time.service", "ActiveEnterTimestampMonotonic");
      const seconds = (Number(ActiveEnterTimestampMonotonic) - (timedOut ?? Number.NaN)) / 1_000_000;
      assert.ok(seconds > 0 && seconds < 30, `${host.release}: ${seconds} s`);
    }
  });

  test("a unit that ends at once takes back with it all else that the update did", async () => {
    const before = await observedAll(fleet.hosts, data);
    const { leaver, ...staying } = good.services;
    const run = await fleet.tried(
      {
        services: {
          ...staying,
          "on-time": { ...sleeper, description: "Another description", install: { WantedBy: ["graphical.target"] } },
          newcomer: {
            exec: ["/bin/sh", "-c", "echo no orders today >&2; exit 3"],
            user: "newcomer",
            createUser: true,
          },
        },
        timers: { nightly: { onCalendar: "03:00", persistent: true, starts: "steady.service" } },
      },
      { [token]: "second token" },
    );
    assert.equal(run.code, 1, run.output);
    for (const { release } of fleet.hosts) {
      const { told, journal } = diagnosis(run, release);
      // It may end before or after systemd has told its start.
      assert.match(told[0] ?? "", /^newcomer\.service did not (come|stay) up$/);
      assert.deepEqual(told.slice(1), [
        "newcomer.service: activating (auto-restart); result exit-code: it ended with a failure; exit status 3",
        ...wayBack("generation 1"),
      ]);
      assert.ok(journal.includes("sh: no orders today"), journal.join("\n"));
    }
    // What the update had stopped or restarted runs again; the rest never stopped.
    assert.deepEqual(
      await allChangesSince(before),
      onEach(fleet.hosts, {
        logins: 1,
        daemonReloads: 2,
        started: ["leaver.service", "steady.service"],
        files: [],
      }),
    );
    for (const host of fleet.hosts) {
      const { MainPID } = await shown(host, "steady.service", "MainPID");
      assert.match(await host.output(`tr '\\0' '\\n' < /proc/${MainPID}/environ`), /^TOKEN=first token$/m);
      const units = await host.output("systemctl list-units --all --no-legend --plain 'newcomer*' 'nightly*'");
      assert.equal(units, "");
    }
  });

  test("the next preview says what each host lacks since then, and no content of a file", async () => {
    const { code, output } = await fleet.stack.preview();
    assert.equal(code, 0, output);
    // Once while it runs, once in the end.
    const summary = output.slice(output.indexOf("Diagnostics:"));
    const said = summary.split("its last update failed or was broken off; what it lacks since then:\n").slice(1);
    assert.equal(said.length, fleet.hosts.length, output);
    for (const text of said) {
      for (const line of [
        "on-time.service:",
        "  -WantedBy=multi-user.target",
        "  +WantedBy=graphical.target",
        "newcomer.service: new",
        "nightly.timer: new",
        "leaver.service: to be removed",
        "/etc/pulumi-systemd/steady.env: changed",
      ]) {
        assert.ok(
          text.split("\n").some((said) => said.endsWith(`  ${line}`)),
          `${line}\n${output}`,
        );
      }
    }
    assert.doesNotMatch(output, /second token/);
  });

  test("the state keeps what the hosts have: the mended update goes through", async () => {
    const before = await observedAll(fleet.hosts, [ledger, ...data]);
    const mended = { ...sleeper, service: { MemoryMax: "64M" } };
    await fleet.deploy({ services: { ...good.services, "on-user": mended } }, { [token]: "first token" });
    assert.deepEqual(
      await allChangesSince(before),
      onEach(fleet.hosts, {
        logins: 1,
        daemonReloads: 1,
        started: ["on-user.service"],
        files: ["changed /etc/systemd/system/on-user.service (content)"],
      }),
    );
  });

  const destroyed = async () => {
    const run = await fleet.stack.destroy();
    assert.equal(run.code, 0, run.output);
    for (const [index, host] of fleet.hosts.entries()) {
      assert.deepEqual(listingChanges(beginning[index]!, await listing(host, data)), [], host.release);
    }
  };

  test("destroy leaves the hosts as they were", destroyed);

  test("... also when the only update failed: the archives that waited for the next one go", async () => {
    const run = await fleet.tried(unshippable());
    assert.equal(run.code, 1, run.output);
    await Promise.all(fleet.hosts.map((host) => host.output("ls /home/deploy/.pulumi-systemd-*.tar")));
    await destroyed();
  });
});
