import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, suite, test } from "node:test";
import { sha256 } from "../../activation/digests.ts";
import type { SandboxHost } from "../../sandbox/host.ts";
import { shown } from "./facts.ts";
import { bootedFleet, type Fleet } from "./fleet.ts";
import { allChangesSince, type Changes, ledger, observedAll, onEach } from "./observation.ts";
import { connectionOf } from "./stack.ts";

const data = [
  "/var/lib/alpha",
  "/var/lib/beta",
  "/var/lib/gamma",
  "/var/lib/web-old",
  "/var/lib/web-new",
  "/var/lib/nightly",
];
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
    alpha: { exec: ["/bin/sleep", "infinity"], service: { Nice: 5 } },
    beta: { exec: ["/bin/sleep", "infinity"] },
    gamma: { exec: ["/bin/sleep", "infinity"] },
    "web-old": server,
  };
  const sockets = { door: { listenStream: "127.0.0.1:9322", service: "alpha.service" } };
  const timers: Record<string, object> = {};
  let secret = randomSecret();

  const secrets = () => ({ "services.beta.secretEnvironment.API_KEY": secret });
  const configured = () => {
    const hosts = onEach(fleet.hosts, (host) => ({ connection: connectionOf(host) }));
    return fleet.stack.configure({ services, sockets, timers, hosts }, secrets());
  };
  const previewed = async (): Promise<string> => {
    await configured();
    const run = await fleet.stack.preview("--diff");
    assert.equal(run.code, 0, run.output);
    return run.output;
  };
  /** Brings the hosts to what the config is now: what became of each. */
  const deployed = async (): Promise<Record<string, Changes>> => {
    const before = await observedAll(fleet.hosts, [ledger, ...data]);
    await configured();
    const run = await fleet.stack.up();
    assert.equal(run.code, 0, run.output);
    return allChangesSince(before);
  };
  const expected = (files: string[], started: string[]): Record<string, Changes> =>
    onEach(fleet.hosts, { logins: 1, daemonReloads: 1, started, files });

  before(async () => {
    fleet = await bootedFleet();
    await fleet.deploy({ services, sockets }, secrets());
  });
  after(() => fleet?.down());

  test("a directive: that line in the preview, and a restart of that service alone", async () => {
    services.alpha!.service = { Nice: 6 };
    assert.deepEqual(diffLines(await previewed()), [
      "~ systemd:index:Unit: (update)",
      "~ sections (hidden)",
      "~ text:",
      "- Nice=5",
      "+ Nice=6",
      ...updatedHosts,
    ]);
    const files = ["changed /etc/systemd/system/alpha.service (content)"];
    assert.deepEqual(await deployed(), expected(files, ["alpha.service"]));
  });

  test("a description, and [Install] of another: each takes effect, and nothing restarts", async () => {
    services.alpha!.description = "Sleeps soundly";
    // Limits that go up are written to the cgroup of what runs.
    services.alpha!.service = { Nice: 6, MemoryMax: "infinity", TasksMax: 300 };
    services["web-old"]!.install = { WantedBy: ["graphical.target"] };
    assert.deepEqual(
      await deployed(),
      expected(
        [
          "changed /etc/systemd/system/alpha.service (content)",
          "new /etc/systemd/system/graphical.target.wants",
          "new /etc/systemd/system/graphical.target.wants/web-old.service",
          "gone /etc/systemd/system/multi-user.target.wants/web-old.service",
          "changed /etc/systemd/system/web-old.service (content)",
        ],
        [],
      ),
    );
    for (const host of fleet.hosts) {
      assert.deepEqual(await shown(host, "alpha.service", "Description", "NeedDaemonReload", "TasksMax"), {
        Description: "Sleeps soundly",
        TasksMax: "300",
        NeedDaemonReload: "no",
      });
    }
  });

  test("a secret: a restart of its only consumer, and nothing of it in the preview", async () => {
    const old = secret;
    secret = randomSecret();
    const preview = await previewed();
    assert.deepEqual(diffLines(preview), updatedHosts);
    for (const value of [old, secret, sha256(old), sha256(secret), sha256(`API_KEY=${secret}\n`)]) {
      assert.ok(!preview.includes(value));
    }
    assert.deepEqual(
      await deployed(),
      onEach(fleet.hosts, {
        logins: 1,
        daemonReloads: 0,
        started: ["beta.service"],
        files: ["changed /etc/pulumi-systemd/beta.env (content)"],
      }),
    );
  });

  test("one service less, a timer more, a new name: the first is gone, the second runs nothing, the third takes its port", async () => {
    assert.deepEqual(await Promise.all(fleet.hosts.map(serverOf)), Array(fleet.hosts.length).fill("web-old.service"));
    delete services.gamma;
    // Half a day from now, so that no run of its own falls into the test.
    const hour = (new Date().getUTCHours() + 12) % 24;
    timers.nightly = { onCalendar: `*-*-* ${hour}:00:00`, persistent: true, service: { exec: ["/bin/false"] } };
    services["web-new"] = services["web-old"]!;
    delete services["web-old"];
    assert.deepEqual(
      await deployed(),
      expected(
        [
          "gone /etc/systemd/system/gamma.service",
          "new /etc/systemd/system/graphical.target.wants/web-new.service",
          "gone /etc/systemd/system/graphical.target.wants/web-old.service",
          "gone /etc/systemd/system/multi-user.target.wants/gamma.service",
          "new /etc/systemd/system/nightly.service",
          "new /etc/systemd/system/nightly.timer",
          "new /etc/systemd/system/timers.target.wants",
          "new /etc/systemd/system/timers.target.wants/nightly.timer",
          "new /etc/systemd/system/web-new.service",
          "gone /etc/systemd/system/web-old.service",
          "new /var/lib/systemd/timers",
          "new /var/lib/systemd/timers/stamp-nightly.timer",
        ],
        ["nightly.timer", "stopped gamma.service", "stopped web-old.service", "web-new.service"],
      ),
    );
    assert.deepEqual(await Promise.all(fleet.hosts.map(serverOf)), Array(fleet.hosts.length).fill("web-new.service"));
    for (const host of fleet.hosts) {
      assert.equal(await host.output("systemctl list-units --all --no-legend --plain gamma.service"), "");
    }
  });

  test("destroy leaves nothing behind", () => fleet.destroy(data));
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

function randomSecret(): string {
  return randomBytes(24).toString("base64url");
}
