import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { DriftReport } from "../../cli/drift.ts";
import type { SandboxHost } from "../../sandbox/host.ts";
import { startedCommand } from "./command-run.ts";
import { awaited } from "./facts.ts";
import { bootedFleet, type Fleet, testOnEachHost } from "./fleet.ts";
import { differingUnits, invocations } from "./invocations.ts";

/** Says its name, its version and whether it has the credential; the instance that `FAILS` names is never well. */
const app = `
import http.server, os, pathlib
name, version, token = os.environ["NAME"], os.environ["VERSION"], pathlib.Path(os.environ["CREDENTIALS_DIRECTORY"], "token")
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if os.environ["FAILS"] == name else 200)
        self.end_headers()
        self.wfile.write(f"{name} {version} {token.read_text()}".encode())
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Answer).serve_forever()
`;

const data = ["pool@1", "pool@2", "pool@3", "pool@4", "beside"].flatMap((name) => [
  `/var/lib/${name}`,
  `/var/lib/private/${name}`,
]);

suite("instances of a service", { timeout: 500_000 }, () => {
  let fleet: Fleet;
  const config = (instances: number, version: string, fails = "") => ({
    services: {
      pool: {
        exec: ["/usr/bin/python3", "/usr/local/lib/pool.py"],
        environment: { NAME: "%i", PORT: "930%i", VERSION: version, FAILS: fails },
        credentials: { token: "known" },
        instances,
        service: { Restart: "no" },
        health: { http: { url: "http://127.0.0.1:930%i/", contains: "known" }, stableSec: "1s", withinSec: "5s" },
      },
      beside: { exec: ["/bin/sleep", "infinity"] },
    },
  });
  const names = (...instances: number[]) => instances.map((instance) => `pool@${instance}.service`);
  const answers = (host: SandboxHost, instances: number) =>
    host.output(`for n in $(seq ${instances}); do curl --silent --max-time 5 http://127.0.0.1:930$n/; echo; done`);
  const all = () => Promise.all(fleet.hosts.map(invocations));
  const changed = async (before: readonly Record<string, string>[]) =>
    (await all()).map((now, index) => differingUnits(before[index]!, now));

  before(async () => {
    fleet = await bootedFleet((host) => host.writeFile("/usr/local/lib/pool.py", app));
    await fleet.deploy(config(3, "one"));
  });
  after(() => fleet?.down());

  testOnEachHost(
    "each run with a name, a port and a state directory of their own, and are started at boot",
    () => fleet,
    async (host) => {
      assert.equal(await answers(host, 3), "1 one known\n2 one known\n3 one known\n");
      const enabled = await host.output(`systemctl is-enabled ${names(1, 2, 3).join(" ")}`);
      assert.equal(enabled, "enabled\nenabled\nenabled\n");
      assert.equal(await host.output("ls -d /var/lib/pool@*"), "/var/lib/pool@1\n/var/lib/pool@2\n/var/lib/pool@3\n");
    },
  );

  test("change one after the other, each once the one before has been well", async () => {
    const before = await all();
    await fleet.deploy(config(3, "two"));
    assert.deepEqual(
      await changed(before),
      fleet.hosts.map(() => names(1, 2, 3)),
    );
    for (const host of fleet.hosts) {
      assert.equal(await answers(host, 3), "1 two known\n2 two known\n3 two known\n", host.release);
      const times = await host.output(
        `systemctl show --value --property=InactiveExitTimestampMonotonic ${names(1, 2, 3).join(" ")}`,
      );
      const [first = 0, second = 0, third = 0] = times.split(/\s+/).map((time) => Number(time) / 1e6);
      // Well for a second before the next is touched.
      assert.ok(second - first >= 1 && third - second >= 1, `${host.release}: ${times}`);
    }
  });

  test("that fail: those after are never touched, those before go back, and it is said where the roll stopped", async () => {
    const before = await all();
    const run = await fleet.tried(config(3, "three", "2"));
    assert.notEqual(run.code, 0);
    const told =
      "pool@2.service did not pass its health gate within 5 s: GET http://127.0.0.1:9302/: status 503, wanted 200 to 399; it was instance 2 of 3 that change one by one; the 1 after it was not touched";
    assert.equal(run.output.split(told).length - 1 >= fleet.hosts.length, true, run.output);
    assert.match(run.output, /The host is back on its previous state \(generation 2\)/);
    assert.deepEqual(
      await changed(before),
      fleet.hosts.map(() => names(1, 2)),
    );
    for (const host of fleet.hosts) assert.equal(await answers(host, 3), "1 two known\n2 two known\n3 two known\n");
  });

  test("that are added or removed are started or stopped, and the others run on", async () => {
    let before = await all();
    await fleet.deploy(config(4, "two"));
    assert.deepEqual(
      await changed(before),
      fleet.hosts.map(() => names(4)),
    );
    before = await all();
    await fleet.deploy(config(2, "two"));
    const gone = names(3, 4).map((name) => `stopped ${name}`);
    assert.deepEqual(
      await changed(before),
      fleet.hosts.map(() => gone),
    );
    for (const host of fleet.hosts) {
      assert.equal(
        await host.output("ls -d /etc/systemd/system/pool@*"),
        "/etc/systemd/system/pool@1.service\n/etc/systemd/system/pool@2.service\n",
      );
    }
  });

  test("are known by their names to health checks, status and drift", async () => {
    const check = {
      unit: "pool@1.service",
      command: { exec: ["/usr/bin/test", "!", "-e", "/srv/ill"] },
      everySec: "1s",
      failAfter: 1,
      graceSec: "0",
      actions: ["restart"],
      maxActions: 1,
    };
    await fleet.deploy({ ...config(2, "two"), healthChecks: { "pool-one": check } });
    const invocation = (host: SandboxHost, instance: number) =>
      host.output(`systemctl show --property=InvocationID pool@${instance}.service`);
    await Promise.all(
      fleet.hosts.map(async (host) => {
        const [first, second] = [await invocation(host, 1), await invocation(host, 2)];
        await host.output("touch /srv/ill");
        const restarted = async () => (await invocation(host, 1)) !== first;
        await awaited(`${host.release}: the check restarts pool@1`, 60, restarted);
        await host.output("rm /srv/ill");
        assert.equal(await invocation(host, 2), second, host.release);
        const well = async () => /healthy/.test(await host.output("pulumi-systemd-host health --json"));
        await awaited(`${host.release}: pool@1 is well again`, 60, well);
        await host.output("systemctl stop pool@2.service; echo '# by hand' >>/etc/systemd/system/pool@1.service");
      }),
    );
    const status = await startedCommand(fleet.stack, ["status", "pool@*"]).ended;
    assert.equal(status.code, 1, status.stderr);
    const drift = await startedCommand(fleet.stack, ["drift", "--json"]).ended;
    assert.equal(drift.code, 1, drift.stderr);
    const report: DriftReport = JSON.parse(drift.stdout);
    for (const { release } of fleet.hosts) {
      assert.match(
        status.stdout,
        new RegExp(
          `^${release} +pool@1\\.service +active \\(running\\) .* healthy .* file-changed daemon-reload$`,
          "m",
        ),
      );
      assert.match(status.stdout, new RegExp(`^${release} +pool@2\\.service +inactive \\(dead\\) `, "m"));
      const found = report.hosts.find(({ host }) => host === release)?.report?.findings ?? [];
      assert.deepEqual(found.map(({ kind, unit }) => `${kind} ${unit}`).sort(), [
        "daemon-reload pool@1.service",
        "file-changed pool@1.service",
        "stopped pool@2.service",
      ]);
    }
  });

  test("go with destroy, but for their data", async () => {
    // What somebody changed by hand would stay.
    await Promise.all(fleet.hosts.map((host) => host.output("sed -i '$d' /etc/systemd/system/pool@1.service")));
    await fleet.destroy([
      ...data,
      "/run/pulumi-systemd/health",
      "/var/lib/pulumi-systemd-health",
      "/var/lib/pulumi-systemd-notify",
    ]);
  });
});
