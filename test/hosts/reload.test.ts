import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { bootedFleet, type Fleet } from "./fleet.ts";
import { differingUnits, invocations } from "./invocations.ts";
import { onEach } from "./observation.ts";
import { connectionOf } from "./stack.ts";

/** Answers with what is in its file, which it reads at its start and on SIGHUP; `bad` makes it unwell. */
const app = `
import http.server, os, signal
state = {}
def read(*_):
    with open("/etc/tuned/app.conf") as source:
        state["text"] = source.read()
read()
signal.signal(signal.SIGHUP, read)
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if "bad" in state["text"] else 200)
        self.end_headers()
        self.wfile.write(f"{os.environ['MODE']} {state['text']}".encode())
    def log_message(self, *_):
        pass
http.server.HTTPServer(("127.0.0.1", 9441), Answer).serve_forever()
`;

const data = ["tuned", "beside"].flatMap((name) => [`/var/lib/${name}`, `/var/lib/private/${name}`]);

suite("configuration files of a service", { timeout: 400_000 }, () => {
  let fleet: Fleet;
  const config = (text: string, mode = "a", further: object = {}) => ({
    services: {
      tuned: {
        exec: ["/usr/bin/python3", "/usr/local/lib/tuned.py"],
        environment: { MODE: mode },
        reloadSignal: "SIGHUP",
        configFiles: { "/etc/tuned/app.conf": { content: text }, ...further },
        health: { http: { url: "http://127.0.0.1:9441/" }, stableSec: "1s", withinSec: "5s" },
      },
      beside: { exec: ["/bin/sleep", "infinity"] },
    },
  });
  const all = () => Promise.all(fleet.hosts.map(invocations));
  const changed = async (before: readonly Record<string, string>[]) =>
    (await all()).map((now, index) => differingUnits(before[index]!, now));
  const answers = () => Promise.all(fleet.hosts.map((host) => host.output("curl --silent http://127.0.0.1:9441/")));

  before(async () => {
    fleet = await bootedFleet((host) => host.writeFile("/usr/local/lib/tuned.py", app));
    await fleet.deploy(config("one\n"));
  });
  after(() => fleet?.down());

  test("a change of nothing else reloads it: the same process has the new text, and the preview has its lines", async () => {
    const before = await all();
    const hosts = onEach(fleet.hosts, (host) => ({ connection: connectionOf(host) }));
    await fleet.stack.configure({ ...config("two\n"), hosts });
    const preview = await fleet.stack.preview("--diff");
    assert.equal(preview.code, 0, preview.output);
    assert.match(preview.output, /systemd:index:ConfigFile: \(update\)[\s\S]*- one\n[\s\S]*\+ two\n/);
    await fleet.deploy(config("two\n"));
    assert.deepEqual(
      await answers(),
      fleet.hosts.map(() => "a two\n"),
    );
    assert.deepEqual(
      await changed(before),
      fleet.hosts.map(() => []),
    );
    // The receipts, each JSON within JSON.
    const state = await fleet.stack.pulumi("stack", "export", "--show-secrets");
    const reload = /"action\\*": ?\\*"reload\\*", ?\\*"reasons\\*": ?\[\\*"\/etc\/tuned\/app\.conf changed/g;
    assert.ok((state.output.match(reload) ?? []).length >= fleet.hosts.length);
  });

  test("a change of the unit besides restarts it", async () => {
    const before = await all();
    await fleet.deploy(config("three\n", "b"));
    assert.deepEqual(
      await answers(),
      fleet.hosts.map(() => "b three\n"),
    );
    assert.deepEqual(
      await changed(before),
      fleet.hosts.map(() => ["tuned.service"]),
    );
  });

  test("a text with which it is not well goes back, and the process reads the old one again", async () => {
    const before = await all();
    const run = await fleet.tried(config("bad\n", "b"));
    assert.notEqual(run.code, 0);
    assert.match(run.output, /tuned\.service did not pass its health gate within 5 s/);
    assert.deepEqual(
      await answers(),
      fleet.hosts.map(() => "b three\n"),
    );
    assert.deepEqual(
      await changed(before),
      fleet.hosts.map(() => []),
    );
  });

  test("a file of somebody else is not overwritten", async () => {
    await Promise.all(fleet.hosts.map((host) => host.writeFile("/etc/tuned/theirs.conf", "theirs\n")));
    const run = await fleet.tried(config("three\n", "b", { "/etc/tuned/theirs.conf": { content: "ours\n" } }));
    assert.notEqual(run.code, 0);
    assert.match(run.output, /\/etc\/tuned\/theirs\.conf/);
    for (const host of fleet.hosts) {
      assert.equal(await host.output("cat /etc/tuned/theirs.conf; rm /etc/tuned/theirs.conf"), "theirs\n");
    }
  });

  test("one that goes counts as one that changes", async () => {
    await fleet.deploy(config("three\n", "b", { "/etc/tuned/extra.conf": { content: "x\n" } }));
    const before = await all();
    const { output } = await fleet.deploy(config("three\n", "b"));
    const told = output.match(/reload tuned\.service: \/etc\/tuned\/extra\.conf is gone/g) ?? [];
    assert.equal(told.length, fleet.hosts.length, output);
    assert.deepEqual(
      await changed(before),
      fleet.hosts.map(() => []),
    );
  });

  test("go with destroy", () => fleet.destroy(data));
});
