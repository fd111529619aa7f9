import assert from "node:assert/strict";
import { appendFileSync, cpSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { wheelhouse } from "../../sandbox/wheelhouse.ts";
import { type ExampleSection, exampleConfig } from "./example.ts";
import { shown } from "./facts.ts";
import { bootedFleet, type Fleet } from "./fleet.ts";
import { Load } from "./load.ts";

const ports: Readonly<Record<string, number>> = { gunicorn: 8001, uvicorn: 8002, plain: 8003 };
const names = Object.keys(ports);
/** One slow request after the other to each server, until the file is there. Each line is a port and who answered. */
const slowRequests = `for port in ${Object.values(ports).join(" ")}; do
  until [ -e /run/enough ] || [ $SECONDS -gt 250 ]; do
    pid=$(curl --silent --fail --max-time 60 http://127.0.0.1:$port/slow | tr -dc 0-9); echo "$port $pid"
  done &
done
wait; rm -f /run/enough`;
const examples = join(import.meta.dirname, "..", "..", "examples", "zero-downtime");

suite("examples/zero-downtime: servers that drain", { timeout: 420_000 }, () => {
  let fleet: Fleet;
  let config: Record<string, ExampleSection>;
  const source = (name: string) => join(fleet.stack.folder, name);
  const sockets = () =>
    Promise.all(
      fleet.hosts.flatMap((host) =>
        names.map(async (name) => (await shown(host, `${name}.socket`, "InvocationID")).InvocationID),
      ),
    );
  before(async () => {
    const wheels: Record<string, string> = {};
    for (const name of ["gunicorn", "uvicorn"])
      wheels[name] = await wheelhouse(join(examples, name, "requirements.txt"), console.log);
    fleet = await bootedFleet();
    config = await exampleConfig(fleet.stack, "zero-downtime");
    for (const name of names) {
      cpSync(join(examples, name), source(name), { recursive: true });
      Object.assign(config.pythonServices![name]!, {
        source: source(name),
        ...(name in wheels ? { wheelhouse: wheels[name] } : {}),
      });
    }
    await fleet.deploy(config);
  });
  after(() => fleet?.down());

  test("a new release of each loses no request, finishes those at work, and says what the host measured", async () => {
    const open = await sockets();
    const slow = fleet.hosts.map((host) => host.output(slowRequests, { timeoutSec: 300 }));
    const loads = fleet.hosts.flatMap((host) => names.map((name) => new Load(host, 8, ports[name])));
    await Promise.all(loads.map((load) => load.answersMore(15)));
    for (const name of names) {
      appendFileSync(join(source(name), name === "plain" ? "server.py" : "app.py"), "\n# The next release.\n");
    }
    const { output } = await fleet.deploy(config);
    await Promise.all(loads.map((load) => load.answersMore(15)));
    const lost = await Promise.all(loads.map(async (load) => (await load.end()).lost));
    assert.deepEqual(
      lost,
      loads.map(() => new Map()),
      output,
    );
    await Promise.all(fleet.hosts.map((host) => host.output("touch /run/enough")));
    for (const text of await Promise.all(slow)) {
      const answers = text
        .trim()
        .split("\n")
        .map((line) => line.split(" "));
      for (const [name, port] of Object.entries(ports)) {
        const pids = new Set(answers.flatMap(([from, pid = ""]) => (from === String(port) ? [pid] : [])));
        // The last of the old release was begun before the switch, and answered.
        assert.ok(!pids.has("") && pids.size > 1, `${name}: ${text}`);
      }
    }
    assert.deepEqual(await sockets(), open);
    for (const [name, port] of Object.entries(ports)) {
      assert.match(
        output,
        new RegExp(`${name}\\.service changed over: of \\d+ connections to \\[::\\]:${port}, 0 refused, 0 failed`),
      );
    }
  });

  test("destroy leaves nothing behind", () => fleet.destroy(names.map((name) => `/var/lib/${name}`)));
});
