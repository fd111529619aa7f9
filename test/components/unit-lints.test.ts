import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import type { DefinitionSource } from "../../components/index.ts";
import {
  HealthCheck,
  Host,
  Notifier,
  PythonService,
  Service,
  SocketUnit,
  Timer,
  Unit,
} from "../../components/index.ts";
import { hostVerdict } from "../../components/unit-lints.ts";
import { inputsOf, settledValue, warnings } from "./recorded.ts";

const exec = ["/bin/true"];
const hostKey = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}`;
const connection = { host: "192.0.2.1", hostKey, privateKey: "hush-hush" };

/** What is warned of while a host gets these units. */
async function warnedOf(name: string, units: DefinitionSource[], more: object = {}): Promise<string[]> {
  const before = warnings.length;
  await settledValue(new Host(name, { connection, units, ...more }).receipt);
  return warnings.slice(before);
}

test("what surely does not do what it says is refused with the unit, the directive and what to do", () => {
  assert.throws(
    () => new Service("mute", { exec, watchdogSec: "30s", service: { RestrictAddressFamilies: ["AF_INET"] } }),
    (error: Error) => {
      assert.ok(pulumi.ResourceError.isInstance(error) && error.hideStack === true);
      assert.equal(
        error.message,
        "mute.service: [Service] RestrictAddressFamilies=AF_INET leaves no AF_UNIX, which Type=notify needs: the service cannot reach systemd's notification socket. Add AF_UNIX to RestrictAddressFamilies= (lint notify-without-af-unix)",
      );
      return true;
    },
  );
});

test("a line of a text that systemd would drop is refused with its number", () => {
  const text = "[Service]\nExecStart=/bin/true\nRestart always\n";
  assert.throws(() => new Unit("dropped.service", { text }), /^.*dropped\.service: line 3: this line has no =/);
});

test("a warning is told once, on however many hosts the unit runs, and again by no other resource", async () => {
  const before = warnings.length;
  const orders = new Service("orders-api", { exec, user: "nobody", profile: "trusted" });
  const job = new Timer("stray", { onCalendar: "daily", starts: { unitName: "strayed.service" } });
  const hosts = ["many1", "many2", "many3"].map((name) => new Host(name, { connection, units: [orders, job] }));
  await Promise.all(hosts.map((host) => settledValue(host.receipt)));
  assert.deepEqual(warnings.slice(before), [
    "orders-api.service: [Service] User=nobody is shared with others. Write a user of its own, or DynamicUser=yes (lint user-nobody)",
    "stray.timer: [Timer] it starts strayed.service, which is none of the given units. Deploy the service as well, or write its name with Unit= (in a socket Service=) (lint activated-unit-missing)",
  ]);
});

test("a unit that the host has besides is not missed", async () => {
  const timer = new Timer("certificates", { onCalendar: "daily", starts: { unitName: "certbot.service" } });
  assert.deepEqual(await warnedOf("besides", [timer], { externalUnits: ["certbot.service"] }), []);
});

test("what a waiver names is left alone while it holds, alone and on a host, and no other lint", async () => {
  const waived = (policy: string, until = "2999-12-31") => [{ policy, reason: "tried on staging", until }];
  const service = { RestrictAddressFamilies: ["AF_INET"] };
  const muted = new Service("muted", { exec, watchdogSec: "30s", service, waive: waived("notify-without-af-unix") });
  const stray = { onCalendar: "daily", starts: { unitName: "elsewhere.service" } };
  const timer = new Timer("elsewhere", { ...stray, waive: waived("activated-unit-missing") });
  assert.deepEqual(await warnedOf("waived", [muted, timer]), []);
  for (const waive of [waived("notify-without-af-unix", "2026-01-01"), waived("user-nobody")]) {
    const args = { exec, watchdogSec: "30s", service, waive };
    assert.throws(() => new Service(`over-${waive[0]?.policy}`, args), /\(lint notify-without-af-unix\)/);
  }
  const typo = { exec, service: { ProtectSystem: "stric" }, waive: waived("bad-value") };
  assert.throws(() => new Service("refused-by-systemd", typo), /did you mean "strict"/);
});

test("what only the units of a host together show is an error there", async () => {
  const job = new Service("job", { exec, type: "oneshot", onDemand: true, service: { RemainAfterExit: true } });
  const timer = new Timer("job-timer", { onCalendar: "daily", starts: job });
  const definitions = await Promise.all([job, timer].map(({ definition }) => settledValue(definition)));
  assert.deepEqual(hostVerdict(definitions, {}), {
    errors: [
      "job.service: [Service] RemainAfterExit=yes: after its first run job-timer.timer cannot start it again. Leave RemainAfterExit= out (lint remain-after-exit-with-timer)",
    ],
    warnings: [],
  });
});

test("the components' own defaults raise no warning", async () => {
  const before = warnings.length;
  const socket = new SocketUnit("plain", { listenStream: "8000" });
  const plain = new PythonService("plain", { directory: "/opt/plain", exec: ["python", "-m", "plain"], socket });
  const watched = new Service("watched", { exec: ["/usr/bin/watched"], watchdogSec: "30s" });
  const account = new Service("account", { exec: ["/usr/bin/account"], user: "account", createUser: true });
  const profiles = (["strict", "network-client", "network-server", "trusted"] as const).map(
    (profile) => new Service(`of-${profile}`, { exec: ["/usr/bin/program"], profile }),
  );
  const timer = new Timer("nightly-plain", { onCalendar: "*-*-* 03:00:00", persistent: true, service: { exec } });
  const often = new Timer("often", { onBootSec: "1min", onUnitActiveSec: "30s", service: { exec } });
  const queued = new Timer("queued", { schedule: { cron: "*/15 * * * *" }, onOverlap: "queue", service: { exec } });
  const health = new HealthCheck("plain-health", { unit: plain, tcp: { port: 8000 } });
  const early = new HealthCheck("early-health", { unit: watched, onCalendar: ["*-*-* 06:00:00"] });
  const command = ["/usr/local/bin/tell"];
  const told = new Notifier("told", { command });
  const units = [socket, plain, watched, account, ...profiles, timer, often, queued, health, early, told];
  await warnedOf("plain-host", units);
  assert.deepEqual(warnings.slice(before), []);
  assert.ok("text" in inputsOf(Unit.__pulumiType, "pulumi-systemd-health-shop-dev.service"));
});
