import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { BundleUnit } from "../../activation/bundle.ts";
import { asked, receipt } from "../faults/asking.ts";
import { type ExampleSection, exampleConfig } from "./example.ts";
import { shown } from "./facts.ts";
import { bootedFleet, type Fleet, testOnEachHost } from "./fleet.ts";
import { health, Load } from "./load.ts";
import { ports, socketStates } from "./socket-states.ts";

suite("examples/critical-service: an API on a socket", { timeout: 300_000 }, () => {
  let fleet: Fleet;
  let config: Record<"pythonServices" | "sockets", ExampleSection>;
  before(async () => {
    fleet = await bootedFleet();
    const { pythonServices, sockets } = await exampleConfig(fleet.stack, "critical-service");
    config = { pythonServices: { myapi: pythonServices!.myapi! }, sockets: sockets! };
    await fleet.deploy(config);
  });
  after(() => fleet?.down());

  testOnEachHost(
    "the first connection starts its service",
    () => fleet,
    async (host) => {
      const idle = await shown(host, "myapi.service", "ActiveState", "ExecMainStartTimestampMonotonic");
      assert.deepEqual(idle, { ActiveState: "inactive", ExecMainStartTimestampMonotonic: "0" });
      const socket = await shown(host, "myapi.socket", "ActiveState", "SubState", "UnitFileState", "Accept");
      assert.deepEqual(socket, {
        ActiveState: "active",
        SubState: "listening",
        UnitFileState: "enabled",
        Accept: "no",
      });

      const answer = await fetch(`http://${host.address}:8000/health`, { signal: AbortSignal.timeout(20_000) });
      const { pid }: { pid?: unknown } = Object(await answer.json());
      const started = await shown(host, "myapi.service", "ActiveState", "MainPID");
      assert.deepEqual(started, { ActiveState: "active", MainPID: String(pid) });
    },
  );

  testOnEachHost(
    "20 restarts under load lose no connection",
    () => fleet,
    async (host, context) => {
      const load = new Load(host, 200);
      await load.answersMore(50);
      await host.output("for each in $(seq 20); do systemctl restart myapi.service; sleep 0.1; done");
      await load.answersMore(50);
      const { answered, lost, pids, worstMs } = await load.end();
      context.diagnostic(`${host.release}: ${answered} answers, the slowest after ${worstMs.toFixed(0)} ms`);
      assert.deepEqual(lost, new Map());
      assert.ok(pids.size > 15, `${pids.size} processes answered`);
      assert.ok(answered > 500, `${answered} answers`);
    },
  );

  test("an update under load loses no connection and leaves the socket open", async () => {
    const sockets = () => Promise.all(fleet.hosts.map((host) => shown(host, "myapi.socket", "InvocationID")));
    const before = await sockets();
    const loads = fleet.hosts.map((host) => new Load(host, 50));
    await Promise.all(loads.map((load) => load.answersMore(50)));
    const changed = { ...config.pythonServices.myapi, environment: { COLOUR: "green" } };
    const { output } = await fleet.deploy({ ...config, pythonServices: { myapi: changed } });
    // The engine shows the line of each host under its name, more than once.
    const told = output.matchAll(
      / (\w+) updated .*; myapi\.service changed over: of \d+ connections to \[::\]:8000, 0 refused, 0 failed; the slowest answer after \d+ ms/g,
    );
    assert.deepEqual(
      [...told].map(([, host]) => host).sort(),
      fleet.hosts.map(({ release }) => release).sort(),
      output,
    );
    await Promise.all(loads.map((load) => load.answersMore(50)));
    const ended = await Promise.all(loads.map((load) => load.end()));
    assert.deepEqual(
      ended.map(({ lost, pids }) => ({ lost, processes: pids.size })),
      fleet.hosts.map(() => ({ lost: new Map(), processes: 2 })),
    );
    assert.deepEqual(await sockets(), before);
  });

  test("an update that cannot start is taken back with no connection lost", async () => {
    const sockets = () => Promise.all(fleet.hosts.map((host) => shown(host, "myapi.socket", "InvocationID")));
    const before = await sockets();
    const loads = fleet.hosts.map((host) => new Load(host, 50));
    await Promise.all(loads.map((load) => load.answersMore(50)));
    const broken = { ...config.pythonServices.myapi, exec: ["python", "-c", "import no_such_module"] };
    const { code, output } = await fleet.tried({ ...config, pythonServices: { myapi: broken } });
    assert.equal(code, 1, output);
    assert.match(output, /No module named 'no_such_module'/);
    assert.match(output, /myapi\.service changed over: of \d+ connections to \[::\]:8000, 0 refused, 0 failed/);
    await Promise.all(loads.map((load) => load.answersMore(50)));
    const ended = await Promise.all(loads.map((load) => load.end()));
    assert.deepEqual(
      ended.map(({ lost }) => lost),
      fleet.hosts.map(() => new Map()),
    );
    assert.deepEqual(await sockets(), before);
  });

  testOnEachHost(
    "sockets are gained, swapped, handed over and lost by the host program",
    () => fleet,
    async (host) => {
      const invocation = async (name: string) => (await shown(host, name, "InvocationID")).InvocationID;
      for (const { title, bundle, answers, staysOpen } of socketStates) {
        const before = await Promise.all(staysOpen.map(invocation));
        const kept = ports.filter((port) =>
          staysOpen.some((name) => bundle.units.some((unit) => opens(unit, name, port))),
        );
        const loads = kept.map((port) => new Load(host, 50, port));
        await receipt(host, bundle);
        await Promise.all(loads.map((load) => load.answersMore(10)));
        const lost = await Promise.all(loads.map(async (load) => (await load.end()).lost));
        assert.deepEqual(
          lost,
          kept.map(() => new Map()),
          title,
        );
        assert.deepEqual(await Promise.all(staysOpen.map(invocation)), before, title);
        const found = await Promise.all(
          ports.map((port) =>
            health(host.address, port).then(
              ({ name }) => name,
              (error: Error) => error.message,
            ),
          ),
        );
        assert.deepEqual(
          found,
          ports.map((port) => answers[port] ?? "ECONNREFUSED"),
          title,
        );
      }
      const { code, stdout } = await asked(host, socketStates.at(-1)!.bundle, { operation: "destroy" }).answered;
      assert.equal(code, 0, stdout);
    },
  );

  test("destroy leaves nothing behind", () => fleet.destroy(["/var/lib/myapi", "/var/lib/redis"]));
});

function opens({ name, content }: BundleUnit, socket: string, port: number): boolean {
  return name === socket && content.includes(`ListenStream=${port}\n`);
}
