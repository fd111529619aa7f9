import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, suite, test } from "node:test";
import { sha256 } from "../../activation/digests.ts";
import type { SandboxHost } from "../../sandbox/host.ts";
import type { PulumiRun } from "../../setup/pulumi-cli.ts";
import { shown } from "./facts.ts";
import { bootedFleet, type Fleet, testOnEachHost } from "./fleet.ts";
import { allChangesSince, type Changes, observedAll, onEach } from "./observation.ts";
import { connectionOf } from "./stack.ts";

const data = ["/var/lib/alpha", "/var/lib/beta", "/var/lib/gamma", "/var/lib/web*", "/var/lib/nightly"];
const port = 9321;
const server = { exec: ["python3", "-m", "http.server", String(port)], workingDirectory: "/usr/share" };

interface ServiceConfig {
  [argument: string]: unknown;
  service?: Record<string, unknown>;
  install?: Record<string, unknown>;
}

suite("a change of one thing", { timeout: 400_000 }, () => {
  let fleet: Fleet;
  const services: Record<string, ServiceConfig> = {
    alpha: { exec: ["/bin/sleep", "infinity"], service: { MemoryMax: "64M" } },
    beta: { exec: ["/bin/sleep", "infinity"] },
    gamma: { exec: ["/bin/sleep", "infinity"], requires: ["beta.service"] },
    "web-old": server,
  };
  const sockets = { door: { listenStream: "127.0.0.1:9322", service: "alpha.service" } };
  const timers: Record<string, object> = {};
  let secret = randomSecret();

  const config = () => ({ services, sockets, timers });
  const secrets = () => ({ "services.beta.secretEnvironment.API_KEY": secret });
  const configured = () => {
    const hosts = onEach(fleet.hosts, (host) => ({ connection: connectionOf(host) }));
    return fleet.stack.configure({ ...config(), hosts }, secrets());
  };
  /** Previews, then deploys, what the config is now: what the preview showed, and what became of each host. */
  const deployed = async (): Promise<{ shown: string[]; preview: PulumiRun; changes: Record<string, Changes> }> => {
    const before = await observedAll(fleet.hosts, data);
    await configured();
    const preview = await fleet.stack.preview("--diff");
    assert.equal(preview.code, 0, preview.output);
    const run = await fleet.stack.up();
    assert.equal(run.code, 0, run.output);
    return { shown: diffLines(preview.output), preview, changes: await allChangesSince(before, data) };
  };
  const expected = (files: string[], started: string[]): Record<string, Changes> =>
    onEach(fleet.hosts, { logins: 1, daemonReloads: 1, started, files });

  before(async () => {
    fleet = await bootedFleet();
    await fleet.deploy(config(), secrets());
  });
  after(() => fleet?.down());

  test("a directive: that line in the preview, and a restart of that service alone", async () => {
    services.alpha!.service = { MemoryMax: "128M" };
    const { shown, changes } = await deployed();
    assert.deepEqual(shown, [
      "~ systemd:index:Unit: (update)",
      "~ sections (hidden)",
      "~ text:",
      "- MemoryMax=64M",
      "+ MemoryMax=128M",
      ...updatedHosts,
    ]);
    assert.deepEqual(changes, expected(["changed /etc/systemd/system/alpha.service (content)"], ["alpha.service"]));
  });

  test("a description: nothing restarts", async () => {
    services.alpha!.description = "Sleeps soundly";
    const { shown: lines, changes } = await deployed();
    assert.deepEqual(lines, [
      "~ systemd:index:Unit: (update)",
      "~ sections (hidden)",
      "~ text:",
      "- Description=alpha",
      "+ Description=Sleeps soundly",
      ...updatedHosts,
    ]);
    assert.deepEqual(changes, expected(["changed /etc/systemd/system/alpha.service (content)"], []));
    for (const host of fleet.hosts) {
      assert.deepEqual(await shown(host, "alpha.service", "Description", "NeedDaemonReload"), {
        Description: "Sleeps soundly",
        NeedDaemonReload: "no",
      });
    }
  });

  test("[Install]: enabled anew, and nothing restarts", async () => {
    services.alpha!.install = { WantedBy: ["graphical.target"] };
    const { shown: lines, changes } = await deployed();
    assert.deepEqual(lines.slice(0, 5), [
      "~ systemd:index:Unit: (update)",
      "~ sections (hidden)",
      "~ text:",
      "- WantedBy=multi-user.target",
      "+ WantedBy=graphical.target",
    ]);
    assert.deepEqual(
      changes,
      expected(
        [
          "changed /etc/systemd/system/alpha.service (content)",
          "new /etc/systemd/system/graphical.target.wants",
          "new /etc/systemd/system/graphical.target.wants/alpha.service",
          "gone /etc/systemd/system/multi-user.target.wants/alpha.service",
        ],
        [],
      ),
    );
  });

  test("a secret: a restart of its only consumer, and nothing of it in the preview", async () => {
    const old = secret;
    secret = randomSecret();
    const { shown, preview, changes } = await deployed();
    assert.deepEqual(shown, updatedHosts);
    for (const value of [old, secret, sha256(old), sha256(secret), sha256(`API_KEY=${secret}\n`)]) {
      assert.ok(!preview.output.includes(value));
    }
    assert.deepEqual(
      changes,
      // gamma requires beta, so systemd restarts it too.
      onEach(fleet.hosts, {
        logins: 1,
        daemonReloads: 0,
        started: ["beta.service", "gamma.service"],
        files: ["changed /etc/pulumi-systemd/beta.env (content)"],
      }),
    );
  });

  test("a service less and a timer more: the one is gone, the other runs nothing", async () => {
    delete services.gamma;
    timers.nightly = {
      onCalendar: "*-*-* 03:00:00",
      persistent: true,
      service: { exec: ["/bin/false"] },
    };
    const { changes } = await deployed();
    assert.deepEqual(
      changes,
      expected(
        [
          "gone /etc/systemd/system/gamma.service",
          "gone /etc/systemd/system/multi-user.target.wants/gamma.service",
          "new /etc/systemd/system/nightly.service",
          "new /etc/systemd/system/nightly.timer",
          "new /etc/systemd/system/timers.target.wants/nightly.timer",
          "new /var/lib/systemd/timers/stamp-nightly.timer",
        ],
        ["nightly.timer", "stopped gamma.service"],
      ),
    );
  });

  testOnEachHost(
    "nothing of the removed service is left running",
    () => fleet,
    async (host) => {
      assert.equal(await host.output("systemctl list-units --all --no-legend --plain gamma.service"), "");
      assert.equal((await shown(host, "nightly.service", "InvocationID")).InvocationID, "");
    },
  );

  test("a new name for a service that holds a port: the old one lets go before the new one starts", async () => {
    const before = await Promise.all(fleet.hosts.map(serverOf));
    services["web-new"] = services["web-old"]!;
    delete services["web-old"];
    const { changes } = await deployed();
    assert.deepEqual(
      changes,
      expected(
        [
          "gone /etc/systemd/system/multi-user.target.wants/web-old.service",
          "new /etc/systemd/system/multi-user.target.wants/web-new.service",
          "new /etc/systemd/system/web-new.service",
          "gone /etc/systemd/system/web-old.service",
        ],
        ["stopped web-old.service", "web-new.service"],
      ),
    );
    assert.deepEqual(before, onList(fleet, "web-old.service"));
    assert.deepEqual(await Promise.all(fleet.hosts.map(serverOf)), onList(fleet, "web-new.service"));
  });

  test("destroy leaves nothing behind", () => fleet.destroy());
});

const updatedHosts = [
  "~ command:remote:Command: (update)",
  "~ stdin: [secret] => [secret]",
  "~ command:remote:Command: (update)",
  "~ stdin: [secret] => [secret]",
  "~ command:remote:Command: (update)",
  "~ stdin: [secret] => [secret]",
];

/** The lines that a diff marks as new, gone or different, without their indentation. */
function diffLines(output: string): string[] {
  const [resources = ""] = output.split(/^ *--outputs:--$/m);
  return resources
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /^[-+~] /.test(line));
}

/** The unit whose process answers at the port. */
async function serverOf(host: SandboxHost): Promise<string> {
  const answer = await fetch(`http://${host.address}:${port}/`, { signal: AbortSignal.timeout(10_000) });
  assert.equal(answer.status, 200);
  const text = await host.output(`ss -Hltnp 'sport = ${port}'`);
  const [, pid] = /pid=(\d+)/.exec(text) ?? [];
  const [, unit] = /\/([^/\n]+\.service)$/m.exec(await host.output(`cat /proc/${pid}/cgroup`)) ?? [];
  return unit ?? "none";
}

function onList(fleet: Fleet, unit: string): string[] {
  return fleet.hosts.map(() => unit);
}

function randomSecret(): string {
  return randomBytes(24).toString("base64url");
}
