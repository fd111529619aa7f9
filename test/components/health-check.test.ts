import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { before, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { healthProgram } from "../../activation/health/program.ts";
import type { Definition } from "../../components/definition.ts";
import { HealthCheck, type HealthCheckArgs, healthCheckSchema } from "../../components/health-check.ts";
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

const api = { unitName: "api.service" };

test("a check with nothing but its unit: two units, a program and its settings", async () => {
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
        name: "api-health.service",
        activation: "on-demand",
        restartOnFiles: [],
        restartOnReleases: [],
        triggeredBy: ["api-health.timer"],
        onChange: "auto",
        settleSec: 1,
        waive: [],
      },
    ],
  );
  assert.deepEqual(definition.files, [
    {
      path: "/usr/local/lib/pulumi-systemd/health/api-health.py",
      mode: "0644",
      content: healthProgram(),
      secret: false,
    },
    {
      path: "/etc/pulumi-systemd/health/api-health.json",
      mode: "0600",
      content: `${JSON.stringify(
        {
          format: 1,
          name: "api-health",
          unit: "api.service",
          probes: [],
          timeoutSec: 5,
          failAfter: 2,
          graceSec: 30,
          maxRestarts: 3,
          withinSec: 3600,
          backoffSec: 60,
          confidential: false,
        },
        undefined,
        2,
      )}\n`,
      secret: false,
    },
  ]);
  assert.deepEqual([definition.users, definition.releases], [[], []]);
});

test("the timer checks for the first time after one pause", async () => {
  const definition = await definitionOf({ unit: api }, "api-health-timer");
  assert.deepEqual(sectionsOf(definition, ".timer"), {
    Unit: { Description: "Health check of api.service" },
    Timer: {
      OnActiveSec: "1min",
      OnUnitInactiveSec: "1min",
      AccuracySec: "1s",
      Unit: "api-health-timer.service",
    },
    Install: { WantedBy: "timers.target" },
  });
});

test("calendar, pause, and both", async () => {
  const timers = await Promise.all(
    [
      { onCalendar: "*:0/15" },
      { onCalendar: "*:0/15", everySec: "10min" },
      { everySec: "30s", timer: { OnCalendar: ["hourly", "Mon 07:30"], AccuracySec: "5s" } },
    ].map(async (args) => sectionsOf(await definitionOf({ unit: api, ...args }), ".timer").Timer),
  );
  assert.deepEqual(
    timers.map(({ Unit: _unit, ...rest } = {}) => rest),
    [
      { OnCalendar: "*:0/15", AccuracySec: "1s" },
      { OnActiveSec: "10min", OnUnitInactiveSec: "10min", OnCalendar: "*:0/15", AccuracySec: "1s" },
      { OnActiveSec: "30s", OnUnitInactiveSec: "30s", AccuracySec: "5s", OnCalendar: ["hourly", "Mon 07:30"] },
    ],
  );
});

test("the service is a bounded oneshot in the sandbox of a root probe", async () => {
  const definition = await definitionOf({ unit: api, timeoutSec: "20s" }, "api-health-service");
  const { Unit, Service, ...others } = sectionsOf(definition, ".service");
  assert.deepEqual([Unit, others], [{ Description: "Health check of api.service" }, {}]);
  const sandbox = Object.keys(rootProbeSandbox());
  assert.ok(sandbox.includes("ProtectSystem") && sandbox.includes("CapabilityBoundingSet"));
  assert.deepEqual(
    sandbox.filter((name) => Service?.[name] === undefined),
    [],
  );
  assert.deepEqual(Object.fromEntries(Object.entries(Service ?? {}).filter(([name]) => !sandbox.includes(name))), {
    Type: "oneshot",
    ExecStart:
      "/usr/bin/python3 -I /usr/local/lib/pulumi-systemd/health/api-health-service.py /etc/pulumi-systemd/health/api-health-service.json",
    TimeoutStartSec: "5min 20s",
    NotifyAccess: "main",
    SyslogIdentifier: "api-health-service",
    LogLevelMax: "notice",
    StateDirectory: "pulumi-systemd-health/api-health-service",
    StateDirectoryMode: "0700",
    RuntimeDirectory: "pulumi-systemd",
    RuntimeDirectoryMode: "0700",
    RuntimeDirectoryPreserve: "yes",
  });
});

test("directives by their systemd names win", async () => {
  const definition = await definitionOf({ unit: api, service: { LogLevelMax: "debug", Nice: 10 } });
  const { Service } = sectionsOf(definition, ".service");
  assert.deepEqual([Service?.LogLevelMax, Service?.Nice], ["debug", "10"]);
});

test("every argument reaches the settings, in the form that the program reads", async () => {
  const definition = await definitionOf(
    {
      unit: api,
      http: { url: "https://localhost:8443/health check?deep=ä#top", status: 204, contains: '"ok"' },
      tcp: { port: 5432 },
      command: ["/usr/local/bin/probe", "--all", ""],
      timeoutSec: "1500ms",
      failAfter: 1,
      graceSec: "0",
      maxRestarts: 0,
      withinSec: "1h 30min",
      backoffSec: "90",
    },
    "api-all",
  );
  assert.deepEqual(settingsOf(definition), {
    format: 1,
    name: "api-all",
    unit: "api.service",
    probes: [
      {
        kind: "http",
        url: "https://localhost:8443/health%20check?deep=%C3%A4",
        status: 204,
        contains: '"ok"',
      },
      { kind: "tcp", host: "127.0.0.1", port: 5432 },
      { kind: "command", command: ["/usr/local/bin/probe", "--all", ""] },
    ],
    timeoutSec: 1.5,
    failAfter: 1,
    graceSec: 0,
    maxRestarts: 0,
    withinSec: 5400,
    backoffSec: 90,
    confidential: false,
  });
  const python = spawnSync(
    "python3",
    [
      "-B",
      "-c",
      "import sys; from pulumi_systemd_health.settings import settings_of; print(settings_of(sys.stdin.read()).unit)",
    ],
    {
      cwd: join(import.meta.dirname, "../../activation/health"),
      input: definition.files.at(1)?.content ?? "",
      encoding: "utf8",
    },
  );
  assert.deepEqual([python.stderr, python.stdout], ["", "api.service\n"]);
});

test("a reviewer sees the settings, and a check under its own name", async () => {
  await definitionOf({ unit: api, tcp: { host: "::1", port: 80 } }, "api-seen");
  const own = registered.find(({ name }) => name === "api-seen");
  assert.equal(own?.type, "systemd:index:HealthCheck");
  assert.ok(own);
  const settings = own.inputs.settings as Record<string, unknown>;
  assert.deepEqual(settings.probes, [{ kind: "tcp", host: "::1", port: 80 }]);
  assert.deepEqual(
    registered.filter(({ name }) => name.startsWith("api-seen.")).map(({ name, type }) => [name, type]),
    [
      ["api-seen.timer", "systemd:index:Unit"],
      ["api-seen.service", "systemd:index:Unit"],
    ],
  );
});

test("the unit may be a component, and its name an Output", async () => {
  const component = { unitName: pulumi.output("web.service"), definition: pulumi.output({}) };
  const definition = await definitionOf({ unit: component, everySec: pulumi.output("2min") });
  assert.equal(settingsOf(definition).unit, "web.service");
  assert.equal(sectionsOf(definition, ".timer").Timer?.OnUnitInactiveSec, "2min");
});

test("YAML gives the name alone", () => {
  const plain = healthCheckSchema.parse({ unit: "api.service", everySec: 30, command: ["/usr/bin/true"] });
  assert.deepEqual(plain, { unit: { unitName: "api.service" }, everySec: "30", command: ["/usr/bin/true"] });
});

test("a secret URL goes to the settings alone, which are then secret", async () => {
  const url = pulumi.secret("http://127.0.0.1:8000/hook?token=s3cret");
  const check = new HealthCheck("api-secret", { unit: api, http: { url, status: 200 } });
  const definition = await known(check.definition);
  const [program, settings] = definition.files;
  assert.equal(await pulumi.isSecret(check.definition), true);
  assert.deepEqual([program?.secret, settings?.secret], [false, true]);
  assert.deepEqual(
    [settingsOf(definition).confidential, settings?.content.includes("s3cret"), settings?.mode],
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
    new HealthCheck("one", { unit, command: ["/usr/bin/probe", pulumi.secret("s3cret")] });
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
    [{}, "unit: Invalid input: expected object, received undefined"],
    [{ unit: 8000 }, "unit: Invalid input: expected object, received number"],
    [{ unit: "api" }, "unit.unitName: "],
    [{ unit: { unitName: "api" } }, "unit.unitName: "],
    [{ unit: api, every: "1min" }, 'Unrecognized key: "every"'],
    [{ unit: api, everySec: "soon" }, 'everySec: "soon" is not a time span'],
    [{ unit: api, everySec: "100ms" }, 'everySec: "100ms" is not a time span of at least 1 s; write e.g. "30s"'],
    [{ unit: api, timeoutSec: "0" }, 'timeoutSec: "0" is not a time span above 0'],
    [{ unit: api, graceSec: "infinity" }, 'graceSec: "infinity" is not a time that ends; write e.g. "30s"'],
    [{ unit: api, failAfter: 0 }, "failAfter: "],
    [{ unit: api, maxRestarts: 1.5 }, "maxRestarts: "],
    [{ unit: api, onCalendar: "every day" }, "onCalendar: "],
    [{ unit: api, http: { url: "127.0.0.1:8000" } }, "http.url: "],
    [{ unit: api, http: { url: "ftp://x/" } }, "http.url: must begin with http:// or https://"],
    [{ unit: api, http: { url: "http://me:s3cret@x/" } }, "http.url: holds a user name or password"],
    [{ unit: api, http: { url: "http://x/", status: 99 } }, "http.status: "],
    [{ unit: api, http: { url: "http://x/", contains: "" } }, "http.contains: is empty"],
    [{ unit: api, tcp: { port: 0 } }, "tcp.port: "],
    [{ unit: api, tcp: { host: "a b", port: 1 } }, "tcp.host: is not an address or host name"],
    [{ unit: api, command: [] }, "command: must begin with the absolute path of a program"],
    [{ unit: api, command: ["probe"] }, "command: must begin with the absolute path of a program"],
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
