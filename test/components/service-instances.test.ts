import assert from "node:assert/strict";
import { test } from "node:test";
import { hostBundle } from "../../components/host-bundle.ts";
import { PythonService, Service, type ServiceArgs, Timer, Unit } from "../../components/index.ts";
import { ofInstance, serviceUnitName, serviceUnits } from "../../components/service-instances.ts";
import { inputsOf, settledValue } from "./recorded.ts";

const exec = ["/bin/true"];

test("a number gives instances 1, 2 and so on; names give those; neither gives one service", () => {
  assert.deepEqual(serviceUnits("api", { instances: 2 }), [
    { name: "api@1.service", instance: "1" },
    { name: "api@2.service", instance: "2" },
  ]);
  assert.deepEqual(serviceUnits("api", { instanceNames: ["eu"] }), [{ name: "api@eu.service", instance: "eu" }]);
  assert.deepEqual(serviceUnits("api", {}), [{ name: "api.service", instance: undefined }]);
  assert.equal(serviceUnitName("api", { instances: 1 }), "api@.service");
});

test("%i is the instance's name, %%i is %i, and a service without instances keeps both", () => {
  const value = { a: ["80%i", { b: "%%i %d" }], n: 1 };
  assert.deepEqual(ofInstance(value, "3"), { a: ["803", { b: "%i %d" }], n: 1 });
  assert.equal(ofInstance(value, undefined), value);
});

test("each instance is a unit with its own name in what tells them apart; release, secrets and hooks are shared", async () => {
  const api = new PythonService("pool", {
    directory: "/srv/pool",
    exec: ["python", "-m", "pool", "--name", "%i"],
    environment: { PORT: "80%i" },
    secretEnvironment: { KEY: "hush" },
    instances: 2,
    health: { http: { url: "http://127.0.0.1:80%i/healthz" }, withinSec: "30s" },
  });
  assert.deepEqual([api.unitName, api.unitNames], ["pool@.service", ["pool@1.service", "pool@2.service"]]);
  const definition = await settledValue(api.definition);
  assert.deepEqual(
    definition.units.map(({ name, restartOnFiles }) => [name, restartOnFiles]),
    api.unitNames.map((name) => [name, ["/etc/pulumi-systemd/pool.env"]]),
  );
  assert.equal(definition.files.length, 1);
  const { text } = inputsOf(Unit.__pulumiType, "pool@2.service") as { text: string };
  for (const line of [
    "Description=pool@2",
    "ExecStart=/usr/bin/python3 -m pool --name 2",
    "StateDirectory=pool@2",
    "EnvironmentFile=/etc/pulumi-systemd/pool.env",
  ]) {
    assert.ok(text.includes(`${line}\n`), text);
  }
  assert.match(text, /^Environment=.*PORT=802/m);
  const bundle = hostBundle("a/b/c", [definition], { transactionSec: 100, waitSec: 10, confirmSec: 0 });
  assert.deepEqual(
    bundle.units.map(({ gate }) => gate?.probes[0]?.url),
    ["http://127.0.0.1:801/healthz", "http://127.0.0.1:802/healthz"],
  );
  // Gates that are passed one after the other have their own time.
  assert.equal(bundle.bounds.transactionSec, 162);
});

for (const [what, args, message] of [
  ["both arguments", { instances: 2, instanceNames: ["a"] }, /^wrong: instances, instanceNames: both are given/],
  ["no instance", { instances: 0 }, /^wrong: instances: /],
  ["a bad name", { instanceNames: ["a/b"] }, /^wrong: instanceNames\[0\]: "a\/b" is no name of an instance/],
  ["a name that StateDirectory= reads as a link", { instanceNames: ["a:b"] }, /"a:b" is no name of an instance/],
  ["one name twice", { instanceNames: ["a", "a"] }, /^wrong: instanceNames: names an instance twice/],
  [
    "a socket",
    { instances: 2, socket: { unitName: "x.socket" } },
    /^wrong: socket: hands its connections to one service/,
  ],
] satisfies [string, Partial<ServiceArgs>, RegExp][]) {
  test(`${what} is refused`, () => {
    assert.throws(() => new Service("wrong", { exec, ...args }), { message });
  });
}

test("a timer starts one service", () => {
  assert.throws(() => new Timer("often", { onCalendar: "hourly", service: { exec, instances: 2 } }), {
    message: /^often: service\.instances: a timer starts one service/,
  });
});
