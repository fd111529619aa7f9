import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { shown } from "./facts.ts";
import { bootedFleet, type Fleet } from "./fleet.ts";

const sleeper = { exec: ["/bin/sleep", "infinity"] };

/** `BindsTo=` to a unit that is not up ends the service as soon as systemd has read it, and `onChange` says nothing of that. */
const bound = (to: string) => ({ ...sleeper, onChange: "none", unit: { BindsTo: [to], After: [to] } });

/** It falls as soon as a file of another service is there. */
const frail = {
  exec: ["/bin/sh", "-c", "while [ ! -e /etc/front/flag ]; do sleep 0.1; done; exit 3"],
  restart: "no",
};

suite("a running service with `onChange: none` becomes bound to another unit", { timeout: 300_000 }, () => {
  let fleet: Fleet;
  const states = () =>
    Promise.all(
      fleet.hosts.map(async (host) => {
        const front = await shown(host, "front.service", "SubState", "InvocationID");
        return { state: front.SubState, run: front.InvocationID };
      }),
    );
  /** Deploys, and how `front.service` is afterwards. */
  const deployed = async (services: Record<string, object>) => {
    const earlier = await states();
    const { output } = await fleet.deploy({ services });
    const later = await states();
    const outcome = later.map(
      ({ state, run }, index) => `${state}, ${run === earlier[index]!.run ? "same" : "another"} run`,
    );
    return { outcome, output };
  };
  const onAll = (outcome: string) => fleet.hosts.map(() => outcome);

  before(async () => {
    fleet = await bootedFleet(async (host) => {
      await host.writeFile("/etc/systemd/system/theirs.service", "[Service]\nExecStart=/bin/sleep infinity\n");
      await host.writeFile("/etc/systemd/system/broken.service", "[Service]\nType=oneshot\nExecStart=/bin/false\n");
      await host.output("systemctl daemon-reload");
    });
    await fleet.deploy({ services: { front: sleeper } });
  });
  after(() => fleet?.down());

  test("one that the same change starts: stopped and started with it, and the receipt says why", async () => {
    const { outcome, output } = await deployed({ api: sleeper, front: bound("api.service") });
    assert.deepEqual(outcome, onAll("running, another run"));
    assert.doesNotMatch(output, /not applied to the running unit/);
    const state = await fleet.stack.pulumi("stack", "export", "--show-secrets");
    const told = state.output.match(/it becomes bound to api\.service, which is not up yet/g) ?? [];
    assert.ok(told.length >= fleet.hosts.length);
  });

  test("one to which it was bound already: it is left as it is", async () => {
    const services = { api: { ...sleeper, description: "The same" }, front: bound("api.service") };
    assert.deepEqual((await deployed(services)).outcome, onAll("running, same run"));
  });

  test("one on demand that is idle: stopped and started, which starts that one", async () => {
    const api = { ...sleeper, onDemand: true };
    await fleet.deploy({ services: { front: sleeper } });
    await fleet.deploy({ services: { api, front: sleeper } });
    const { outcome } = await deployed({ api, front: bound("api.service") });
    assert.deepEqual(outcome, onAll("running, another run"));
    const states = await Promise.all(fleet.hosts.map((host) => shown(host, "api.service", "SubState")));
    assert.deepEqual(
      states,
      onAll("running").map((SubState) => ({ SubState })),
    );
  });

  test("one of somebody else that is not up: stopped and started, which starts that one", async () => {
    await fleet.deploy({ services: { front: sleeper } });
    assert.deepEqual((await deployed({ front: bound("theirs.service") })).outcome, onAll("running, another run"));
    const states = await Promise.all(fleet.hosts.map((host) => shown(host, "theirs.service", "SubState")));
    assert.deepEqual(
      states,
      fleet.hosts.map(() => ({ SubState: "running" })),
    );
  });

  test("one that does not exist: refused before anything is changed", async () => {
    const before = await states();
    const run = await fleet.tried({ services: { front: bound("nowhere.service") } });
    assert.notEqual(run.code, 0);
    assert.match(run.output, /nothing was changed on it:\n.*Unit nowhere\.service not found/);
    assert.deepEqual(await states(), before);
  });

  test("one that cannot start: the update goes back, and the service runs by its old definition", async () => {
    const run = await fleet.tried({ services: { front: bound("broken.service") } });
    assert.notEqual(run.code, 0);
    const facts = await Promise.all(fleet.hosts.map((host) => shown(host, "front.service", "SubState", "BindsTo")));
    assert.deepEqual(
      facts,
      fleet.hosts.map(() => ({ SubState: "running", BindsTo: "theirs.service" })),
      run.output,
    );
  });

  test("an untouched service that falls during an update is told", async () => {
    await fleet.deploy({ services: { front: sleeper, frail } });
    const flagged = { ...sleeper, configFiles: { "/etc/front/flag": { content: "fall\n" } } };
    const { output } = await fleet.deploy({ services: { front: flagged, frail } });
    const told = output.match(/frail\.service failed \(exit-code\) during this update, which did not touch it/g) ?? [];
    assert.ok(told.length >= fleet.hosts.length, output);
  });

  test("an account that is there gets a group that it gains", async () => {
    const user = { ...sleeper, user: "svc", createUser: true };
    await fleet.deploy({ services: { front: user } });
    await fleet.deploy({ services: { front: { ...user, group: "shared" } } });
    const groups = await Promise.all(fleet.hosts.map((host) => shown(host, "front.service", "SubState", "Group")));
    assert.deepEqual(
      groups,
      fleet.hosts.map(() => ({ SubState: "running", Group: "shared" })),
    );
  });

  test("a destroy leaves nothing", async () => {
    await Promise.all(
      fleet.hosts.map((host) => host.output("systemctl stop theirs.service; systemctl reset-failed broken.service")),
    );
    await fleet.destroy(["front", "api", "frail"].flatMap((name) => [`/var/lib/${name}`, `/var/lib/private/${name}`]));
  });
});
