import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { bootedFleet, type Fleet } from "./fleet.ts";
import { allChangesSince, type Changes, ledger, observedAll, onEach } from "./observation.ts";

const port = 9431;
const data = ["/var/lib/gated", "/var/lib/beside", "/var/lib/behind"];

/** An app that is `well`, says `503`, dies 3 s after it was ready, or is well after 3 s (`late`). */
const app = `#!/usr/bin/python3
import http.server, os, socket, sys, threading, time
behaviour = sys.argv[1]
begin = time.monotonic()
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        bad = behaviour == "503" or (behaviour == "late" and time.monotonic() - begin < 3)
        self.send_response(503 if bad else 200)
        self.end_headers()
        self.wfile.write(b"not yet" if bad else b"all is well")
    def log_message(self, *_):
        pass
if behaviour == "dies":
    def die():
        print("cannot reach the database", flush=True)
        os._exit(7)
    threading.Timer(3, die).start()
local = socket.socket(socket.AF_UNIX)
path = os.environ["RUNTIME_DIRECTORY"] + "/app.sock"
local.bind(path)
local.listen()
print("serving", behaviour, flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", ${port}), Answer).serve_forever()
`;

/** Ends well when a dynamic user runs it, as the service is. */
const probe = `#!/bin/sh
[ "$(id -u)" -ge 61184 ] || { echo "it runs as $(id -u)"; exit 1; }
`;

const sleeper = { exec: ["/bin/sleep", "infinity"] };

suite("the health gate of a deploy", { timeout: 400_000 }, () => {
  let fleet: Fleet;
  const gated = (behaviour: string, withinSec = "20s") => ({
    exec: ["/usr/local/bin/gate-app", behaviour],
    service: { RuntimeDirectory: "gated", Restart: "no" },
    health: {
      http: { url: `http://127.0.0.1:${port}/`, contains: "all is well" },
      tcp: { port },
      unixSocket: { path: "/run/gated/app.sock" },
      command: { exec: ["/usr/local/bin/gate-probe"] },
      stableSec: "4s",
      withinSec,
    },
  });
  const config = (behaviour: string, nice: number, withinSec?: string) => ({
    services: {
      gated: gated(behaviour, withinSec),
      beside: sleeper,
      behind: { ...sleeper, requires: ["gated.service"], service: { Nice: nice } },
    },
  });
  const untouched = (started: string[]): Record<string, Changes> =>
    onEach(fleet.hosts, { logins: 1, daemonReloads: 2, started, files: [] });

  before(async () => {
    fleet = await bootedFleet(async (host) => {
      await host.writeFile("/usr/local/bin/gate-app", app, 0o755);
      await host.writeFile("/usr/local/bin/gate-probe", probe, 0o755);
    });
  });
  after(() => fleet?.down());

  test("a service that is well after a while passes; commands run as its user", async () => {
    await fleet.deploy(config("late", 1));
  });

  test("what is not well in time: the last answer is told, and the host is as before", async () => {
    const before = await observedAll(fleet.hosts, [ledger, ...data]);
    const run = await fleet.tried(config("503", 2, "6s"));
    assert.notEqual(run.code, 0);
    const told = `gated.service did not pass its health gate within 6 s: GET http://127.0.0.1:${port}/: status 503, wanted 200 to 399`;
    assert.equal(run.output.split(told).length - 1 >= fleet.hosts.length, true, run.output);
    assert.match(run.output, /gated\.service: active \(running\)[\s\S]*serving 503/);
    assert.match(run.output, /The host is back on its previous state \(generation 1\)/);
    // What the change touched runs its old definition again; what it did not touch has run on.
    assert.deepEqual(await allChangesSince(before), untouched(["behind.service", "gated.service"]));
  });

  test("what is well and then dies: that is told with its journal, and the host is as before", async () => {
    const before = await observedAll(fleet.hosts, [ledger, ...data]);
    const run = await fleet.tried(config("dies", 1));
    assert.notEqual(run.code, 0);
    assert.match(run.output, /gated\.service did not stay up while its health gate watched it/);
    assert.match(run.output, /cannot reach the database/);
    assert.deepEqual(await allChangesSince(before), untouched(["behind.service", "gated.service"]));
  });

  test("a change that does not touch the service asks nothing of it", async () => {
    const before = await observedAll(fleet.hosts, [ledger, ...data]);
    const beside = { ...config("late", 1) };
    await fleet.deploy({ services: { ...beside.services, beside: { ...sleeper, service: { Nice: 3 } } } });
    assert.deepEqual(
      await allChangesSince(before),
      onEach(fleet.hosts, {
        logins: 1,
        daemonReloads: 1,
        started: ["beside.service"],
        files: ["changed /etc/systemd/system/beside.service (content)"],
      }),
    );
  });

  test("destroy leaves nothing behind", () => fleet.destroy(data));
});
