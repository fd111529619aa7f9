import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { before, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { healthProgram } from "../../activation/health/program.ts";
import type { Definition, UnitReference } from "../../components/definition.ts";
import { HealthCheck, type HealthCheckArgs, healthCheckSchema } from "../../components/health-check.ts";
import { everyCalendar, everyProblem } from "../../components/health-check-schedule.ts";
import { Timer } from "../../components/timer.ts";
import { nextElapses } from "../../systemd/calendar.ts";
import { rootProbeSandbox } from "../../systemd/sandbox.ts";
import type { UnitModel } from "../../systemd/sections.ts";
import { parseUnitFile, unitModel } from "../../systemd/unit-file.ts";

type Registered = { type: string; name: string; inputs: Record<string, unknown> };
const registered: Registered[] = [];

before(async () => {
  await pulumi.runtime.setMocks({
    newResource: ({ type, name, inputs }) => {
      registered.push({ type, name, inputs });
      return { id: name, state: inputs };
    },
    call: ({ inputs }) => inputs,
  });
});

/** Every key of the arguments is in the schema and every key of the schema in the arguments. */
type SameKeys<A, B> = [keyof A] extends [keyof B] ? ([keyof B] extends [keyof A] ? true : false) : false;
const schemaKnowsEachArgument: SameKeys<Required<HealthCheckArgs>, typeof healthCheckSchema.shape> = true;

function known<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    // Only the rejection of the output's own promise tells why a step in it failed.
    const { promise } = output as unknown as { promise: () => Promise<T> };
    promise.call(output).then(resolve, reject);
  });
}

let count = 0;
async function definitionOf(args: HealthCheckArgs, name = `check-${++count}`): Promise<Definition> {
  return known(new HealthCheck(name, args).definition);
}

function sectionsOf(definition: Definition, suffix: string): UnitModel {
  const unit = definition.units.find(({ name }) => name.endsWith(suffix));
  assert.ok(unit);
  return unitModel(parseUnitFile(unit.text));
}

function settingsOf(definition: Definition): Record<string, unknown> {
  const file = definition.files.find(({ path }) => path.endsWith(".json"));
  assert.ok(file);
  return JSON.parse(file.content);
}

function checksOf(definition: Definition): Record<string, unknown>[] {
  return settingsOf(definition).checks as Record<string, unknown>[];
}

const api = { unitName: "api.service" };

/** The settings of a check that are not said. */
const limits = {
  dependsOn: [],
  failAfter: 2,
  failOf: 2,
  graceSec: 30,
  actions: [],
  maxActions: 3,
  withinSec: 3600,
  backoffSec: 60,
  backoffMaxSec: 1800,
  jitter: 0.2,
  halfOpenAfterSec: 3600,
  remindEverySec: 14_400,
  stableForSec: 600,
  confidential: false,
};

test("a check with nothing but its unit: a timer, the common service, a program and its settings", async () => {
  assert.ok(schemaKnowsEachArgument);
  const definition = await definitionOf({ unit: api }, "api-health");
  assert.deepEqual(
    definition.units.map(({ text: _text, ...unit }) => unit),
    [
      {
        name: "api-health.timer",
        activation: "started",
        restartOnFiles: [],
        restartOnReleases: [],
        triggeredBy: [],
        onChange: "auto",
        settleSec: 0,
        waive: [],
      },
      {
        name: "pulumi-systemd-health-project-stack.service",
        activation: "on-demand",
        restartOnFiles: [],
        restartOnReleases: [],
        triggeredBy: [],
        onChange: "auto",
        settleSec: 1,
        waive: [],
      },
    ],
  );
  assert.deepEqual(definition.files, [
    {
      path: "/usr/local/lib/pulumi-systemd/health/project-stack.py",
      mode: "0644",
      content: healthProgram(),
      secret: false,
    },
    {
      path: "/etc/pulumi-systemd/health/project-stack/api-health.json",
      mode: "0600",
      content: `${JSON.stringify(
        {
          format: 2,
          name: "api-health",
          timer: "api-health.timer",
          service: "pulumi-systemd-health-project-stack.service",
          notify: [],
          logFile: null,
          checks: [{ name: "api-health", unit: "api.service", probes: [], ...limits, actions: ["restart"] }],
        },
        undefined,
        2,
      )}\n`,
      secret: false,
    },
  ]);
  assert.deepEqual([definition.users, definition.releases], [[], []]);
});

test("checks of one stack share a service, which one of them registers", async () => {
  const [one, two] = await Promise.all([definitionOf({ unit: api }), definitionOf({ unit: api })]);
  const common = "pulumi-systemd-health-project-stack.service";
  assert.deepEqual(
    one.units.find(({ name }) => name === common),
    two.units.find(({ name }) => name === common),
  );
  assert.equal(registered.filter(({ name }) => name === common).length, 1);
});

test("a check with directives of its own has a process of its own", async () => {
  const definition = await definitionOf({ unit: api, service: { LogLevelMax: "debug", Nice: 10 } }, "api-own");
  assert.deepEqual(
    definition.units.map(({ name, triggeredBy }) => [name, triggeredBy]),
    [
      ["api-own.timer", []],
      ["api-own.service", ["api-own.timer"]],
    ],
  );
  const { Service } = sectionsOf(definition, ".service");
  assert.deepEqual([Service?.LogLevelMax, Service?.Nice], ["debug", "10"]);
  assert.equal(sectionsOf(definition, ".timer").Timer?.Unit, "api-own.service");
  assert.equal(settingsOf(definition).service, "api-own.service");
});

test("the timer comes at wall-clock times, so that checks of one pause fall together", async () => {
  const definition = await definitionOf({ unit: api }, "api-health-timer");
  assert.deepEqual(sectionsOf(definition, ".timer"), {
    Unit: { Description: "Health check api-health-timer" },
    Timer: { OnCalendar: "*:0/1", AccuracySec: "1s", Unit: "pulumi-systemd-health-project-stack.service" },
    Install: { WantedBy: "timers.target" },
  });
});

test("calendar, pause, and both", async () => {
  const timers = await Promise.all(
    [
      { onCalendar: ["*:0/15", "hourly", "Mon *-*-* 07:30"] },
      { onCalendar: ["*:0/15"], everySec: "10min" },
      { everySec: "30s", timer: { AccuracySec: "5s" } },
      { everySec: "2h" },
      { everySec: "1d" },
    ].map(async (args) => sectionsOf(await definitionOf({ unit: api, ...args }), ".timer").Timer),
  );
  assert.deepEqual(
    timers.map(({ Unit: _unit, ...rest } = {}) => rest),
    [
      { OnCalendar: ["*:0/15", "hourly", "Mon *-*-* 07:30"], AccuracySec: "1s" },
      { OnCalendar: ["*:0/10", "*:0/15"], AccuracySec: "1s" },
      { OnCalendar: "*:*:0/30", AccuracySec: "5s" },
      { OnCalendar: "0/2:00", AccuracySec: "1s" },
      { OnCalendar: "*-*-* 00:00:00", AccuracySec: "1s" },
    ],
  );
});

test("every pause that is accepted comes round at its length, all day", () => {
  const after = new Date("2027-01-04T23:00:00Z");
  for (const seconds of [1, 2, 5, 15, 30, 60, 120, 900, 1800, 3600, 10_800, 43_200, 86_400]) {
    const elapses = nextElapses(everyCalendar(seconds), { after, count: 30 });
    const gaps = elapses.slice(1).map((at, index) => (at.getTime() - elapses[index]!.getTime()) / 1000);
    assert.deepEqual(new Set(gaps), new Set([seconds]), `${seconds} s`);
  }
  assert.equal(
    everyProblem(90),
    'does not come round at the same times each day; write "1min" or "2min", or give onCalendar',
  );
  assert.equal(everyProblem(0.5)?.includes('write "1s"'), true);
  assert.equal(everyProblem(100_000)?.includes('write "1d"'), true);
});

test("the service is a bounded oneshot in the sandbox of a root probe", async () => {
  const definition = await definitionOf({ unit: api, timeoutSec: "20s" }, "api-health-service");
  const { Unit, Service, ...others } = sectionsOf(definition, ".service");
  assert.deepEqual([Unit, others], [{ Description: "Health checks of project-stack", StartLimitIntervalSec: "0" }, {}]);
  const sandbox = Object.keys(rootProbeSandbox());
  assert.ok(sandbox.includes("ProtectSystem") && sandbox.includes("CapabilityBoundingSet"));
  assert.deepEqual(
    sandbox.filter((name) => Service?.[name] === undefined),
    [],
  );
  assert.deepEqual(Object.fromEntries(Object.entries(Service ?? {}).filter(([name]) => !sandbox.includes(name))), {
    Type: "oneshot",
    ExecStart:
      "/usr/bin/python3 -I /usr/local/lib/pulumi-systemd/health/project-stack.py run pulumi-systemd-health-project-stack.service",
    TimeoutStartSec: "30min",
    NotifyAccess: "main",
    LogLevelMax: "notice",
    StateDirectory: "pulumi-systemd-health/project-stack pulumi-systemd-notify",
    StateDirectoryMode: "0700",
    LogsDirectory: "pulumi-systemd-health",
    LogsDirectoryMode: "0750",
    RuntimeDirectory: "pulumi-systemd",
    RuntimeDirectoryMode: "0700",
    RuntimeDirectoryPreserve: "yes",
  });
});

test("every argument reaches the settings, in the form that the program reads", async () => {
  const definition = await definitionOf(
    {
      checks: {
        database: { unit: { unitName: "db.service" }, tcp: { port: 5432 }, unixSocket: { path: "/run/db.sock" } },
        api: {
          unit: api,
          http: {
            url: "https://localhost:8443/health check?deep=ä#top",
            status: 204,
            contains: '"ok"',
            certificateSec: "14d",
            caFile: "/etc/ssl/own.pem",
            timeoutSec: "1500ms",
          },
          command: { exec: ["/usr/local/bin/probe", "--all", ""], user: "api" },
          memory: { max: "512M" },
          active: { unitName: "db.service" },
          dependsOn: ["database"],
          failAfter: 3,
          failOf: 5,
          actions: ["reload", "restart", "hook"],
          hook: { unitName: "backend.service" },
          remindEverySec: "1h",
        },
        disk: {
          disk: { path: "/srv", minFree: "2G", minFreePercent: 5 },
          file: { path: "/srv/backup/*.dump", maxAgeSec: "26h", minSize: "1M" },
        },
      },
      failAfter: 1,
      graceSec: "0",
      maxActions: 5,
      withinSec: "1h 30min",
      backoffSec: "90",
      backoffMaxSec: "10min",
      halfOpenAfterSec: "2h",
      stableForSec: "5min",
      logFile: true,
    },
    "shop",
  );
  const common = { ...limits, maxActions: 5, withinSec: 5400, backoffSec: 90, backoffMaxSec: 600 };
  const mine = { ...common, graceSec: 0, halfOpenAfterSec: 7200, stableForSec: 300, failAfter: 1, failOf: 1 };
  assert.deepEqual(settingsOf(definition), {
    format: 2,
    name: "shop",
    timer: "shop.timer",
    service: "pulumi-systemd-health-project-stack.service",
    notify: [],
    logFile: "shop.log",
    checks: [
      {
        ...mine,
        name: "shop/database",
        unit: "db.service",
        probes: [
          { kind: "tcp", timeoutSec: 5, host: "127.0.0.1", port: 5432 },
          { kind: "unix-socket", timeoutSec: 5, path: "/run/db.sock" },
        ],
        actions: ["restart"],
      },
      {
        ...mine,
        name: "shop/api",
        unit: "api.service",
        probes: [
          {
            kind: "http",
            timeoutSec: 1.5,
            url: "https://localhost:8443/health%20check?deep=%C3%A4",
            status: 204,
            contains: '"ok"',
            certificateSec: 1_209_600,
            caFile: "/etc/ssl/own.pem",
            unixSocket: null,
          },
          { kind: "command", timeoutSec: 5, command: ["/usr/local/bin/probe", "--all", ""], user: "api" },
          { kind: "memory", timeoutSec: 5, unit: "api.service", maxBytes: 512 * 2 ** 20 },
          { kind: "unit", timeoutSec: 5, unit: "db.service" },
        ],
        dependsOn: ["shop/database"],
        failAfter: 3,
        failOf: 5,
        actions: ["reload", "restart", "start backend.service"],
        remindEverySec: 3600,
      },
      {
        ...mine,
        name: "shop/disk",
        unit: null,
        probes: [
          { kind: "file", timeoutSec: 5, path: "/srv/backup/*.dump", maxAgeSec: 93_600, minBytes: 2 ** 20 },
          { kind: "disk", timeoutSec: 5, path: "/srv", minFreeBytes: 2 * 2 ** 30, minFreePercent: 5 },
        ],
        actions: [],
      },
    ],
  });
  const rotation = definition.files.find(({ path }) => path === "/etc/logrotate.d/pulumi-systemd-health-shop");
  assert.match(rotation?.content ?? "", /^\/var\/log\/pulumi-systemd-health\/shop\.log \{$/m);
  const python = spawnSync(
    "python3",
    [
      "-B",
      "-c",
      "import sys; from pulumi_systemd_health.settings import group_of; print([check.name for check in group_of(sys.stdin.read()).checks])",
    ],
    {
      cwd: join(import.meta.dirname, "../../activation/health"),
      input: definition.files.find(({ path }) => path.endsWith(".json"))?.content ?? "",
      encoding: "utf8",
    },
  );
  assert.deepEqual([python.stderr, python.stdout], ["", "['shop/database', 'shop/api', 'shop/disk']\n"]);
});

test("the runs of a timer are told after one failure, ten minutes late at most, and nothing is done", async () => {
  const runsOf = new Timer("nightly", { onCalendar: "daily", service: { exec: ["/bin/true"] } });
  for (const reference of [runsOf, { unitName: "nightly.timer" }, "nightly.timer" as unknown as UnitReference]) {
    const [check] = checksOf(await definitionOf({ runsOf: reference }, `runs-${++count}`));
    const probes = [{ kind: "timer", timeoutSec: 5, timer: "nightly.timer", graceSec: 600 }];
    const mine = { name: `runs-${count}`, unit: null, probes, confidential: false };
    assert.deepEqual(check, { ...limits, failAfter: 1, failOf: 1, graceSec: 600, ...mine });
  }
});

test("a reviewer sees the settings, and a check under its own name", async () => {
  await definitionOf({ unit: api, tcp: { host: "::1", port: 80 } }, "api-seen");
  const own = registered.find(({ name }) => name === "api-seen");
  assert.equal(own?.type, "systemd:index:HealthCheck");
  assert.ok(own);
  const settings = own.inputs.settings as { checks: { probes: unknown }[] };
  assert.deepEqual(settings.checks[0]?.probes, [{ kind: "tcp", timeoutSec: 5, host: "::1", port: 80 }]);
  assert.deepEqual(
    registered.filter(({ name }) => name.startsWith("api-seen.")).map(({ name, type }) => [name, type]),
    [["api-seen.timer", "systemd:index:Unit"]],
  );
});

test("the unit may be a component, and its name an Output", async () => {
  const component = { unitName: pulumi.output("web.service"), definition: pulumi.output({}) };
  const definition = await definitionOf({ unit: component, everySec: pulumi.output("2min") });
  assert.equal(checksOf(definition)[0]?.unit, "web.service");
  assert.equal(sectionsOf(definition, ".timer").Timer?.OnCalendar, "*:0/2");
});

test("YAML gives the name alone", () => {
  const plain = healthCheckSchema.parse({ unit: "api.service", everySec: 30, onCalendar: "hourly" });
  assert.deepEqual(plain, { unit: { unitName: "api.service" }, everySec: "30", onCalendar: ["hourly"] });
});

test("a secret URL goes to the settings alone, which are then secret", async () => {
  const url = pulumi.secret("http://127.0.0.1:8000/hook?token=s3cret");
  const check = new HealthCheck("api-secret", { unit: api, http: { url, status: 200 } });
  const definition = await known(check.definition);
  const [program, settings] = definition.files;
  assert.equal(await pulumi.isSecret(check.definition), true);
  assert.deepEqual([program?.secret, settings?.secret], [false, true]);
  assert.deepEqual(
    [checksOf(definition)[0]?.confidential, settings?.content.includes("s3cret"), settings?.mode],
    [true, true, "0600"],
  );
  assert.deepEqual(
    definition.units.filter(({ text }) => text.includes("s3cret")),
    [],
  );
});

test("a secret where it would be shown is refused, and fails the program", () => {
  const script = `
    import * as pulumi from "@pulumi/pulumi";
    import { HealthCheck } from "./components/health-check.ts";
    process.on("unhandledRejection", (error) => console.log(error.message));
    await pulumi.runtime.setMocks({ newResource: ({ name, inputs }) => ({ id: name, state: inputs }), call: () => ({}) });
    const unit = { unitName: "api.service" };
    new HealthCheck("one", { unit, command: { exec: ["/usr/bin/probe", pulumi.secret("s3cret")] } });
    new HealthCheck("two", { unit, tcp: pulumi.secret({ host: "s3cret", port: 80 }) });
  `;
  const done = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd: join(import.meta.dirname, "../.."),
    encoding: "utf8",
  });
  const told = new Set(done.stdout.split("\n").map((line) => line.replace(/^error serializing property "\w+": /, "")));
  assert.deepEqual(
    [...told].sort(),
    [
      "",
      "one: command: holds a secret, and every user of a host can see the arguments of a process; let the program read it from a file",
      "two: tcp: is a secret, and messages must name what was tried; give it in clear",
    ],
    done.stderr,
  );
});

test("a mistake is one error that names the argument and what is accepted", () => {
  const wrong: [unknown, string][] = [
    [{}, "unit: is missing, and there is no probe; give a unit, a probe or both"],
    [{ unit: 8000 }, "unit: Invalid input: expected object, received number"],
    [{ unit: "api" }, "unit.unitName: "],
    [{ unit: { unitName: "api" } }, "unit.unitName: "],
    [{ unit: api, every: "1min" }, 'Unrecognized key: "every"'],
    [{ unit: api, everySec: "soon" }, 'everySec: "soon" is not a time span'],
    [{ unit: api, everySec: "100ms" }, 'everySec: "100ms" is not a time span of at least 1 s; write e.g. "30s"'],
    [{ unit: api, timeoutSec: "0" }, 'timeoutSec: "0" is not a time span above 0'],
    [{ unit: api, graceSec: "infinity" }, 'graceSec: "infinity" is not a time that ends; write e.g. "30s"'],
    [{ unit: api, failAfter: 0 }, "failAfter: "],
    [{ unit: api, maxActions: 1.5 }, "maxActions: "],
    [
      { unit: api, everySec: "90s" },
      'everySec: "90s" does not come round at the same times each day; write "1min" or "2min"',
    ],
    [{ runsOf: api }, "runsOf: is no timer; give a Timer"],
    [{ runsOf: { unitName: "a.timer" }, unit: api }, "runsOf: is given beside unit"],
    [{ unit: api, failAfter: 3, failOf: 2 }, "failOf: is 2, less than failAfter (3)"],
    [{ unit: api, dependsOn: ["x"] }, "dependsOn: names checks of `checks`, which is not given"],
    [{ unit: api, actions: ["kill"] }, "actions[0]: "],
    [{ unit: api, actions: ["hook"] }, 'actions: hold "hook", but no hook is given'],
    [{ tcp: { port: 1 }, actions: ["rollback"] }, 'actions: hold "rollback", but no unit is given'],
    [{ unit: api, rollbackWithinSec: "1h" }, 'rollbackWithinSec: is given, but actions do not hold "rollback"'],
    [{ unit: api, hook: api }, 'hook: is given, but actions do not hold "hook"'],
    [{ tcp: { port: 1 }, actions: ["restart"] }, 'actions: hold "restart", but no unit is given'],
    [{ checks: {} }, "checks: is empty"],
    [{ unit: api, checks: { a: { unit: api } } }, "unit: is given beside checks; move it"],
    [{ checks: { a: { unit: api, dependsOn: ["b"] } } }, 'checks.a.dependsOn: there is no check "b"; there are a'],
    [
      { checks: { a: { unit: api, dependsOn: ["b"] }, b: { unit: api, dependsOn: ["a"] } } },
      "checks.a.dependsOn: goes in a circle: a > b > a",
    ],
    [{ checks: { a: {} } }, "checks.a.unit: is missing, and there is no probe"],
    [{ disk: { path: "/" } }, "disk: has no limit; give minFree, minFreePercent or both"],
    [{ memory: { max: "1G" } }, "memory.unit: is missing, and no unit is checked"],
    [
      { unit: api, http: { url: "http://x/", certificateSec: "1d" } },
      "http.certificateSec: is given, but the url is not https",
    ],
    [{ unit: api, onCalendar: ["every day"] }, "onCalendar[0]: "],
    [{ unit: api, http: { url: "127.0.0.1:8000" } }, "http.url: "],
    [{ unit: api, http: { url: "ftp://x/" } }, "http.url: must begin with http:// or https://"],
    [{ unit: api, http: { url: "http://me:s3cret@x/" } }, "http.url: holds a user name or password"],
    [{ unit: api, http: { url: "http://x/", status: 99 } }, "http.status: "],
    [{ unit: api, http: { url: "http://x/", contains: "" } }, "http.contains: is empty"],
    [{ unit: api, tcp: { port: 0 } }, "tcp.port: "],
    [{ unit: api, tcp: { host: "a b", port: 1 } }, "tcp.host: is not an address or host name"],
    [{ unit: api, command: { exec: [] } }, "command.exec: must begin with the absolute path of a program"],
    [{ unit: api, command: { exec: ["probe"] } }, "command.exec: must begin with the absolute path of a program"],
    [{ unit: api, service: { Naice: 1 } }, "service.Naice: "],
    [{ unit: api, timer: { OnCalendar: ["x"] } }, "timer.OnCalendar"],
  ];
  for (const [args, message] of wrong) {
    const name = `bad-${++count}`;
    assert.throws(
      () => new HealthCheck(name, args as HealthCheckArgs),
      (error: Error) => {
        assert.ok(error.message.startsWith(`${name}: ${message}`), error.message);
        assert.ok(!error.message.includes("s3cret"));
        return pulumi.ResourceError.isInstance(error);
      },
      message,
    );
  }
});

test("a name that could not be part of a path is refused", () => {
  for (const name of ["a/b", "a@", "a:b", "-a", ""]) {
    assert.throws(() => new HealthCheck(name, { unit: api }), pulumi.ResourceError, name);
  }
});
