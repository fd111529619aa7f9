import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { SandboxHost } from "../../sandbox/host.ts";
import { type ExampleSection, exampleConfig } from "./example.ts";
import { awaited, journalOf, shown } from "./facts.ts";
import { bootedFleet, type Fleet, testOnEachHost } from "./fleet.ts";

const apiKey = `never-shown-${process.pid}`;
const secrets = { "pythonServices.myservice.secretEnvironment.API_KEY": apiKey };

suite("examples/critical-service: watched, contained, with redis", { timeout: 300_000 }, () => {
  let fleet: Fleet;
  let config: Record<string, ExampleSection>;
  before(async () => {
    fleet = await bootedFleet(withApplication);
    config = await exampleConfig(fleet.stack, "critical-service");
    await fleet.deploy(config, secrets);
  });
  after(() => fleet?.down());

  testOnEachHost(
    "the unit says what the article wants",
    () => fleet,
    async (host) => {
      const facts = [
        "Type",
        "User",
        "Group",
        "WorkingDirectory",
        "WatchdogUSec",
        "Restart",
        "RestartUSec",
        "UnitFileState",
      ] as const;
      assert.deepEqual(await shown(host, "myservice.service", ...facts), {
        Type: "notify",
        User: "appuser",
        Group: "appgroup",
        WorkingDirectory: "/opt/myapp",
        WatchdogUSec: "1min 30s",
        Restart: "on-failure",
        RestartUSec: "5s",
        UnitFileState: "enabled",
      });
    },
  );

  testOnEachHost(
    "the process is what the unit says",
    () => fleet,
    async (host) => {
      const { MainPID } = await shown(host, "myservice.service", "MainPID");
      const process = await host.output(
        `cd /proc/${MainPID}; tr '\\0' ' ' <cmdline; echo; readlink cwd; stat -c %U:%G .; grep NoNewPrivs status`,
      );
      assert.deepEqual(process.trimEnd().split("\n"), [
        "/opt/myapp/venv/bin/python main.py ",
        "/opt/myapp",
        "appuser:appgroup",
        "NoNewPrivs:\t1",
      ]);
      const said = (await journalOf(host, "myservice.service")).map(({ message }) => message);
      assert.ok(said.includes("signing with /opt/myapp/venv/bin/python of /opt/myapp/venv"), said.join("\n"));
    },
  );

  testOnEachHost(
    "redis was up before it started",
    () => fleet,
    async (host) => {
      assert.equal(await host.output("redis-cli ping"), "PONG\n");
      const redis = await shown(host, "redis-server.service", "ActiveState", "ActiveEnterTimestampMonotonic");
      const service = await shown(host, "myservice.service", "ExecMainStartTimestampMonotonic");
      assert.equal(redis.ActiveState, "active");
      assert.ok(Number(redis.ActiveEnterTimestampMonotonic) <= Number(service.ExecMainStartTimestampMonotonic));
    },
  );

  testOnEachHost(
    "it pings the watchdog",
    () => fleet,
    async (host) => {
      const ping = async () =>
        Number((await shown(host, "myservice.service", "WatchdogTimestampMonotonic")).WatchdogTimestampMonotonic);
      const first = await ping();
      await awaited("another ping", 10, async () => (await ping()) > first);
    },
  );

  testOnEachHost(
    "an order that comes in over HTTP is signed with the secret",
    () => fleet,
    async (host) => {
      const order = `order of ${host.name}`;
      const answer = await fetch(`http://${host.address}:8000/orders`, {
        method: "POST",
        body: order,
        signal: AbortSignal.timeout(20_000),
      });
      assert.equal(answer.status, 202);
      const signed = await awaited("the signature", 10, async () => {
        const found = await host.output(`redis-cli hget signed '${order}'`);
        return found !== "\n" && found.trim();
      });
      assert.equal(signed, createHmac("sha256", apiKey).update(order).digest("hex"));
    },
  );

  testOnEachHost(
    "the secret lies in a file of root's alone, and systemd does not show it",
    () => fleet,
    async (host) => {
      const { EnvironmentFiles } = await shown(host, "myservice.service", "EnvironmentFiles");
      const file = EnvironmentFiles.replace(/ \(.*$/, "");
      assert.equal(await host.output(`stat -c '%a %U:%G' ${file}; grep -c . ${file}`), "600 root:root\n1\n");
      const told = await host.output(
        "systemctl show --all myservice.service; systemctl cat myservice.service; journalctl --no-pager",
      );
      assert.ok(!told.includes(apiKey));
    },
  );

  testOnEachHost(
    "its view of the host is read-only, without homes, with a /tmp of its own",
    () => fleet,
    async (host) => {
      const { MainPID } = await shown(host, "myservice.service", "MainPID");
      await host.output("touch /tmp/of-the-host");
      const seen = await host.run(
        `nsenter --target ${MainPID} --mount bash -c 'touch /etc/x; touch /usr/x; touch /opt/myapp/x; ls /home/deploy; ls /tmp'`,
      );
      assert.equal(seen.stdout, "");
      assert.deepEqual(seen.stderr.match(/Read-only file system|Permission denied|No such file or directory/g), [
        "Read-only file system",
        "Read-only file system",
        "Read-only file system",
        "No such file or directory",
      ]);
    },
  );

  test("the article's RestrictAddressFamilies breaks its own Type=notify: refused before a host is touched", async () => {
    const { myservice } = config.pythonServices!;
    const article = { ...myservice, service: { RestrictAddressFamilies: "AF_INET AF_INET6" } };
    const run = await fleet.tried(
      { ...config, pythonServices: { ...config.pythonServices, myservice: article } },
      secrets,
    );
    assert.equal(run.code, 1, run.output);
    assert.match(
      run.output,
      /myservice\.service: \[Service\] RestrictAddressFamilies=AF_INET AF_INET6 leaves no AF_UNIX, .*Add AF_UNIX .*\(lint notify-without-af-unix\)/,
    );
    assert.doesNotMatch(run.output, /did not come up/);
    assert.ok(!run.output.includes(apiKey));
  });

  testOnEachHost(
    "... and the service runs as it did before",
    () => fleet,
    async (host) => {
      const state = await shown(host, "myservice.service", "SubState", "RestrictAddressFamilies");
      assert.deepEqual(
        { ...state, RestrictAddressFamilies: state.RestrictAddressFamilies.split(" ").sort() },
        { SubState: "running", RestrictAddressFamilies: ["AF_INET", "AF_INET6", "AF_UNIX"] },
      );
    },
  );

  testOnEachHost(
    "it stops with redis and brings redis back with it",
    () => fleet,
    async (host) => {
      await host.output("systemctl stop redis-server.service");
      assert.equal((await shown(host, "myservice.service", "ActiveState")).ActiveState, "inactive");
      await host.output("systemctl start myservice.service");
      assert.equal(await host.output("redis-cli ping"), "PONG\n");
    },
  );

  test("destroy leaves nothing behind", () =>
    fleet.destroy(["/var/lib/myservice", "/var/lib/myapi", "/var/lib/redis"]));
});

/** What the article takes for granted: the application and its virtual environment in /opt/myapp. */
async function withApplication(host: SandboxHost): Promise<void> {
  const app = join(import.meta.dirname, "..", "..", "examples", "critical-service", "app");
  const archive = execFileSync("tar", ["--create", "--owner=0", "--group=0", `--directory=${app}`, "."]);
  await host.output("mkdir /opt/myapp && tar --extract --directory=/opt/myapp", { stdin: archive });
  await host.output("python3 -m venv --without-pip /opt/myapp/venv");
}
