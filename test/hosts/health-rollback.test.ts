import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { SandboxHost } from "../../sandbox/host.ts";
import { diagnosis } from "./diagnosis.ts";
import { bootedFleet, type Fleet } from "./fleet.ts";
import { onEach } from "./observation.ts";
import { connectionOf } from "./stack.ts";

/** Every version is well when it is deployed. One file makes all but the first ill, another one makes all ill. */
const services = (version: 1 | 2 | 3) => ({
  api: {
    exec: ["/bin/sh", "-c", `echo version ${version} >/run/api/is; chmod 644 /run/api/is; exec sleep infinity`],
    service: { RuntimeDirectory: "api", RuntimeDirectoryMode: "0755" },
  },
});
const probe = "test ! -e /srv/worse && { test ! -e /srv/ill || grep -q 'version 1' /run/api/is; }";
const healthChecks = {
  "api-health": {
    unit: "api.service",
    command: { exec: ["/bin/sh", "-c", probe] },
    actions: ["rollback"],
    everySec: "1s",
    failAfter: 1,
    graceSec: "0",
    backoffSec: "0",
    maxActions: 2,
  },
};

suite("a health check that rolls back", { timeout: 600_000 }, () => {
  let fleet: Fleet;
  const up = async (version: 1 | 2 | 3) => {
    const hosts = onEach(fleet.hosts, (host) => ({ connection: connectionOf(host), verify: "drift" }));
    await fleet.stack.configure({ services: services(version), healthChecks, hosts });
    return fleet.stack.up();
  };
  const onAll = <T>(body: (host: SandboxHost) => Promise<T>) => Promise.all(fleet.hosts.map(body));
  const waitFor = (host: SandboxHost, command: string) =>
    host.output(`until ${command}; do sleep 0.3; done`, { timeoutSec: 240 });
  const events = (host: SandboxHost) =>
    host.output("pulumi-systemd-host health log -o cat | grep -v ': failing (' | sed 's/ after [0-9].*//'");

  before(async () => {
    fleet = await bootedFleet();
    for (const version of [1, 2] as const) {
      const run = await up(version);
      assert.equal(run.code, 0, run.output);
    }
  });
  after(() => fleet?.down());

  test("it goes back to the generation before, once, and tells what it did", async () => {
    await onAll(async (host) => {
      await host.output("touch /srv/ill");
      await waitFor(host, "pulumi-systemd-host status --json | grep -q '\"generation\": 3'");
      await waitFor(host, 'pulumi-systemd-host health --json | grep -q \'"state": "healthy"\'');
      assert.equal(await host.output("cat /run/api/is"), "version 1\n");
      const [scope] = JSON.parse(await host.output("pulumi-systemd-host status --json")).scopes;
      assert.deepEqual(
        [scope.rolledBack.who, scope.rolledBack.left, scope.rolledBack.to, scope.hold.who],
        ["health check api-health", 2, 1, "health check api-health"],
      );
      const told = (await events(host)).trimEnd().split("\n");
      assert.deepEqual(
        told.map((line) => line.replace(/ in 1 h: .*| failed: .*/, "")),
        ["api-health: not well, 1 check", "api-health: rollback, action 1 of 2", "api-health: recovered"],
        host.release,
      );
    });
  });

  test("the next preview says so, and an update is refused with the name of the check", async () => {
    const preview = await fleet.stack.preview();
    for (const { release } of fleet.hosts) {
      assert.match(
        preview.output,
        new RegExp(
          `${release}: drift \\(rolled-back\\): .*was rolled back .* from generation 2 to 1 by health check api-health`,
        ),
      );
    }
    const run = await up(3);
    assert.equal(run.code, 1, run.output);
    for (const { release } of fleet.hosts) {
      assert.match(diagnosis(run, release).told.join("\n"), /is held by health check api-health since .* until /);
    }
  });

  test("it never goes further back: a second outage is told, and left to people", async () => {
    await onAll(async (host) => {
      await host.output("touch /srv/worse");
      await waitFor(host, 'pulumi-systemd-host health --json | grep -q \'"state": "open"\'');
      const [scope] = JSON.parse(await host.output("pulumi-systemd-host status --json")).scopes;
      assert.equal(scope.generation, 3, host.release);
      assert.match(
        await events(host),
        /api-health: the rollback failed: .*journalctl -u pulumi-systemd-rollback-api-health/,
      );
      assert.match(
        await host.output("journalctl -u pulumi-systemd-rollback-api-health.service -o cat"),
        /was rolled back on the host .*: one does not go back further/,
      );
    });
  });
});
