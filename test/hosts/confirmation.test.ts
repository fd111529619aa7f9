import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { awaited, shown } from "./facts.ts";
import { bootedFleet, type Fleet } from "./fleet.ts";
import { allChangesSince, ledger, observedAll, onEach, untouched } from "./observation.ts";
import { connectionOf } from "./stack.ts";

const data = ["/var/lib/steady", "/var/lib/cutting"];
const sleeper = { exec: ["/bin/sleep", "infinity"] };
const confirmSec = 15;

suite("a Host with confirm", { timeout: 400_000 }, () => {
  let fleet: Fleet;
  /** One dial of the provider may fail at once and for good: sshd is stopped by the change. */
  const up = async (services: Record<string, unknown>) => {
    const hosts = onEach(fleet.hosts, (host) => ({
      connection: { ...connectionOf(host), dialErrorLimit: 2, perDialTimeout: 5 },
      confirm: true,
      confirmSec,
    }));
    await fleet.stack.configure({ hosts, services });
    return fleet.stack.up();
  };

  before(async () => {
    fleet = await bootedFleet();
  });
  after(() => fleet?.down());

  test("a change is confirmed over a second connection, by itself", async () => {
    const before = await observedAll(fleet.hosts, data);
    const run = await up({ steady: sleeper });
    assert.equal(run.code, 0, run.output);
    const changes = await allChangesSince(before);
    for (const { release } of fleet.hosts) {
      assert.deepEqual([changes[release]?.logins, changes[release]?.daemonReloads], [3, 1], release);
      assert.ok(changes[release]?.started.includes("steady.service"), release);
    }
  });

  test("without a change nothing is to be confirmed", async () => {
    const before = await observedAll(fleet.hosts, []);
    const run = await up({ steady: sleeper });
    assert.equal(run.code, 0, run.output);
    assert.deepEqual(await allChangesSince(before), onEach(fleet.hosts, untouched));
  });

  test("a change that cuts off SSH fails, says so, and is taken back by the hosts themselves", async () => {
    const before = await observedAll(fleet.hosts, [ledger, ...data]);
    const run = await up({ steady: sleeper, cutting: { ...sleeper, unit: { Conflicts: ["ssh.service"] } } });
    assert.equal(run.code, 1, run.output);
    for (const { release } of fleet.hosts) {
      assert.match(run.output, new RegExp(`${release}: the change was made .*not confirmed.*puts itself back`));
    }
    for (const host of fleet.hosts) {
      await awaited(`${host.name} answers again`, confirmSec + 30, async () => (await host.ssh("true")).code === 0);
      const { LoadState } = await shown(host, "cutting.service", "LoadState");
      assert.equal(LoadState, "not-found", host.release);
    }
    for (const [release, { files, started }] of Object.entries(await allChangesSince(before))) {
      assert.deepEqual([release, files, started], [release, [], ["ssh.service"]]);
    }
  });

  test("the next update goes through, and tells what became of the one before", async () => {
    const run = await up({ steady: { ...sleeper, description: "Another description" } });
    assert.equal(run.code, 0, run.output);
    for (const { release } of fleet.hosts) {
      const told = `${release}: the transaction \\S+, whose connection was lost .*nobody confirmed the change over a new`;
      assert.match(run.output, new RegExp(told));
    }
  });

  test("destroy leaves nothing behind", () => fleet.destroy(data));
});
