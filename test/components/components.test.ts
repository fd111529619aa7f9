import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { openedHostInput } from "../../activation/host-command.ts";
import { Host, PythonService, Service, SocketUnit, Timer, Unit } from "../../components/index.ts";
import { inputsOf, settledValue } from "./recorded.ts";

const exec = ["/bin/true"];
const unitType = Unit.__pulumiType;
const hostKey = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}`;

test("a secret is the content of its file, and nothing else of the service is secret", async () => {
  const service = new PythonService("secretive", {
    directory: "/srv/api",
    exec: ["python", "-m", "api"],
    secretEnvironment: { KEY: pulumi.secret("hush-hush") },
  });
  const { files, units } = await settledValue(service.definition);
  assert.deepEqual(files, [
    { path: "/etc/pulumi-systemd/secretive.env", mode: "0600", content: 'KEY="hush-hush"\n', secret: true },
  ]);
  assert.deepEqual(units[0]?.restartOnFiles, ["/etc/pulumi-systemd/secretive.env"]);
  const inputs = inputsOf(unitType, "secretive.service");
  assert.equal(typeof inputs.text, "string");
  assert.ok(!JSON.stringify(inputs).includes("hush-hush"));
  assert.ok(!JSON.stringify(inputsOf(PythonService.__pulumiType, "secretive")).includes("hush-hush"));
});

test("a mistake in plain arguments stops the program where it was made", () => {
  assert.throws(
    () => new Service("wrong", { exec, service: { ProtectSystem: "stric" } }),
    (error: Error) => {
      assert.ok(pulumi.ResourceError.isInstance(error) && error.hideStack === true);
      assert.match(error.message, /^wrong: service\.ProtectSystem: .*"stric".*did you mean "strict"\?/);
      return true;
    },
  );
  assert.throws(() => new Service("a/b", { exec }), /a\/b: .*a\/b\.service/);
  assert.throws(() => new Service("typo", { exec, watchdog: "3s" } as never), /typo: Unrecognized key: "watchdog"/);
});

test("a timer's own service is a oneshot that only the timer starts", async () => {
  const timer = new Timer("nightly", { onCalendar: "*-*-* 03:00:00", service: { exec } });
  const { units } = await settledValue(timer.definition);
  assert.deepEqual(
    units.map(({ name, activation, triggeredBy }) => ({ name, activation, triggeredBy })),
    [
      { name: "nightly.timer", activation: "started", triggeredBy: [] },
      { name: "nightly.service", activation: "on-demand", triggeredBy: ["nightly.timer"] },
    ],
  );
  const { sections } = inputsOf(unitType, "nightly.service") as { sections: Record<string, Record<string, string>> };
  assert.deepEqual([sections.Service?.Type, sections.Install], ["oneshot", undefined]);
});

test("a timer's own service keeps its hooks", async () => {
  const exec = ["python", "packages.py"];
  const check = ["python", "-c", "import packages"];
  const timer = new Timer("routine", {
    onCalendar: "daily",
    pythonService: { source: "examples/bot/app", exec, check },
  });
  const { hooks = [] } = await settledValue(timer.definition);
  assert.deepEqual(
    hooks.map(({ unit, kind }) => ({ unit, kind })),
    [{ unit: "routine.service", kind: "check" }],
  );
});

test("a run is bounded, and one that is due meanwhile can wait", async () => {
  const timer = new Timer("hourly", {
    onCalendar: "hourly",
    onOverlap: "queue",
    timeoutSec: "20min",
    service: { exec },
  });
  const { units } = await settledValue(timer.definition);
  assert.deepEqual(
    units.map(({ name, activation, triggeredBy }) => ({ name, activation, triggeredBy })),
    [
      { name: "hourly.timer", activation: "started", triggeredBy: [] },
      { name: "hourly.service", activation: "on-demand", triggeredBy: ["hourly.timer"] },
      { name: "hourly-due.service", activation: "on-demand", triggeredBy: ["hourly.timer"] },
    ],
  );
  assert.match(units[0]?.text ?? "", /^Unit=hourly-due\.service$/m);
  assert.match(units[1]?.text ?? "", /^TimeoutStartSec=20min$/m);
  const unbounded = new Timer("plain", { onCalendar: "hourly", service: { exec } });
  assert.match((await settledValue(unbounded.definition)).units[1]?.text ?? "", /^TimeoutStartSec=1d$/m);
  assert.throws(
    () => new Timer("t5", { onCalendar: "daily", timeoutSec: "1h", service: { exec, type: "exec" } }),
    /t5: timeoutSec: needs a service of type oneshot.*received type "exec"/,
  );
  assert.throws(
    () => new Timer("t6", { onCalendar: "daily", onOverlap: "queue", starts: { unitName: "a.service" } }),
    /t6: onOverlap: queue: is about the service, which is defined elsewhere/,
  );
});

test("a timer runs exactly one thing, at some time", () => {
  assert.throws(() => new Timer("t1", { onCalendar: "daily" }), /exactly one says what the timer runs/);
  assert.throws(
    () => new Timer("t2", { onCalendar: "daily", service: { exec }, starts: { unitName: "a.service" } }),
    /more than one is given/,
  );
  assert.throws(() => new Timer("t3", { service: { exec } }), /t3: has no trigger/);
});

test("a socket and its service name each other", async () => {
  const socket = new SocketUnit("web-http", { listenStream: "8000", service: "web.service" });
  const web = new Service("web", { exec, socket });
  await Promise.all([settledValue(socket.definition), settledValue(web.definition)]);
  const of = (name: string) => inputsOf(unitType, name).sections as Record<string, Record<string, string>>;
  assert.equal(of("web-http.socket").Socket?.Service, "web.service");
  assert.equal(of("web.service").Service?.Sockets, "web-http.socket");
  assert.match(of("web.service").Unit?.After ?? "", /web-http\.socket/);
});

test("a unit is sections or text, under a name that systemd takes", async () => {
  const Service = { ExecStart: ["/bin/true"] };
  assert.throws(() => new Unit("u1.service", {}), /has neither sections nor text/);
  assert.throws(
    () => new Unit("u2.service", { Service, text: "[Service]\n" }),
    /text: is given together with sections/,
  );
  assert.throws(() => new Unit("u3", { Service }), /u3: /);
  assert.throws(() => new Unit("u4.service", { text: "[Service]\nExecStrat=/bin/true\n" }), /ExecStrat.*ExecStart/);
  const unit = new Unit("u5.service", { text: "# mine\n[Service]\nExecStart=/bin/true\n" });
  assert.equal(
    (await settledValue(unit.definition)).units[0]?.text,
    "# Managed by pulumi-systemd: changes made here are lost at the next update.\n\n[Service]\nExecStart=/bin/true\n",
  );
});

test("a host whose key is not pinned is refused, unless a reason is given", () => {
  const connection = { host: "192.0.2.1", privateKey: "hush-hush" };
  assert.throws(
    () => new Host("h1", { connection, units: [] }),
    /h1: connection\.hostKey: is missing, so anyone could pose/,
  );
  new Host("h2", { connection, units: [], insecureSkipHostKey: "a throw-away machine" });
});

test("names and paths that no host could take are refused where they are given", () => {
  const connection = { host: "192.0.2.1", hostKey };
  for (const name of ["web 1", "_web", "wéb", "web:1"]) {
    assert.throws(() => new Host(name, { connection, units: [] }), {
      message: `${name}: ${JSON.stringify(name)} is no name of a host here; write letters, digits and . _ -, beginning with a letter or a digit`,
    });
  }
  for (const name of ["a:b", "a\\x2db"]) {
    assert.throws(() => new Service(name, { exec }), {
      message: `${name}: ${JSON.stringify(name)} holds : or \\, which StateDirectory= reads as a link or an escape; use letters, digits and . _ @ -`,
    });
  }
  for (const name of ["_jobs", "-jobs"]) {
    assert.throws(() => new PythonService(name, { source: "examples/bot/app", exec: ["python", "packages.py"] }), {
      message: `${name}: "${name}" is no name of a service that ships code; write letters, digits and . _ @ -, beginning with a letter or a digit`,
    });
  }
  for (const path of ["/etc/n/", "/etc//x", "/etc/./x", "/etc/../x", "/"]) {
    assert.throws(
      () => new Unit("plain.service", { Service: { ExecStart: ["/bin/true"] }, reloadOnFiles: [path] }),
      (error: Error) =>
        error.message.startsWith(`plain.service: reloadOnFiles[0]: "${path}" is not the plain form of a path`),
    );
  }
});

test("what a service leaves is removed by the plain path, however its directory is written", async () => {
  const service = new Service("slashed", { exec, purge: true, service: { StateDirectory: ["slashed/"] } });
  assert.deepEqual((await settledValue(service.definition)).units[0]?.purge, ["/var/lib/slashed"]);
});

test("a host gets one command: constant text, everything else on standard input, as a secret", async () => {
  const service = new Service("orders", { exec, secretEnvironment: { KEY: "hush-hush" } });
  const host = new Host("h3", {
    connection: { host: "192.0.2.1", hostKey, privateKey: "hush-hush" },
    units: [service],
  });
  const receipt = await settledValue(host.receipt);
  assert.deepEqual([receipt.generation, receipt.systemd], [1, 252]);
  const command = inputsOf("command:remote:Command", "h3");
  const { stdin, connection, ...visible } = command as { stdin: { secret: string }; connection: { secret: object } };
  assert.ok(JSON.stringify(openedHostInput(stdin.secret).bundle).includes("hush-hush"));
  assert.ok("secret" in connection);
  assert.deepEqual(Object.keys(visible).sort(), ["addPreviousOutputInEnv", "create", "delete", "logging"]);
  assert.ok(!JSON.stringify([visible, inputsOf(Host.__pulumiType, "h3")]).includes("hush-hush"));
});

test("a host behind a bastion dials it ten times and the host itself once: dialling that again is made anew", async () => {
  const endpoint = { host: "192.0.2.1", hostKey, privateKey: "hush-hush" };
  const connection = { ...endpoint, proxy: { ...endpoint, host: "192.0.2.9" } };
  await settledValue(new Host("h4", { connection, units: [] }).receipt);
  const { secret } = inputsOf("command:remote:Command", "h4").connection as {
    secret: { dialErrorLimit: number; proxy: { dialErrorLimit: number } };
  };
  assert.deepEqual([secret.dialErrorLimit, secret.proxy.dialErrorLimit], [0, 10]);
});
