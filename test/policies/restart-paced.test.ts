import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { restartPaced } from "../../policies/restart-paced.ts";
import { serviceResource, violations } from "./resource-args.ts";

const happy = { ExecStart: "/usr/bin/api", Restart: "on-failure", RestartSec: "5s" };
const rush =
  "a service that fails at once is tried so often that systemd gives it up, or that it takes the host's time";
const late = "a service that crashes would be out for that long";

suite("restart-paced", () => {
  const accepted: [why: string, service: Record<string, string | string[]>][] = [
    ["a pause of some seconds", happy],
    ["the shortest", { ...happy, RestartSec: "1s" }],
    ["the longest", { ...happy, RestartSec: "10min" }],
    ["a bare number, which is seconds", { ...happy, RestartSec: "600" }],
    ["the last value", { ...happy, RestartSec: ["1ms", "5s", ""] }],
    ["a service that is not restarted", { ExecStart: "/usr/bin/api" }],
    ["Restart=no with any pause", { ...happy, Restart: "no", RestartSec: "1ms" }],
  ];
  for (const [why, service] of accepted) {
    test(`passes ${why}`, () => assert.deepEqual(violations(restartPaced, serviceResource(service)), []));
  }

  const refused: [found: string, change: Record<string, string>, why: string][] = [
    ["RestartSec= is not set, which is 100ms", { RestartSec: "" }, rush],
    ["RestartSec=999ms", { RestartSec: "999ms" }, rush],
    ["RestartSec=0", { RestartSec: "0" }, rush],
    ["RestartSec=10min 1us", { RestartSec: "10min 1us" }, late],
    ["RestartSec=infinity", { RestartSec: "infinity" }, late],
    ["RestartSec=soon", { RestartSec: "soon" }, "it is no time span, so systemd ignores it"],
  ];
  for (const [found, change, why] of refused) {
    test(`refuses ${found}`, () => {
      assert.deepEqual(violations(restartPaced, serviceResource({ ...happy, ...change })), [
        `api.service: [Service] ${found}, wanted 1s to 10min: ${why}`,
      ]);
    });
  }

  test("takes its bounds from the config", () => {
    const resource = { ...serviceResource(happy), config: { minimum: "10s", maximum: "1min" } };
    assert.deepEqual(violations(restartPaced, resource), [
      `api.service: [Service] RestartSec=5s, wanted 10s to 1min: ${rush}`,
    ]);
  });

  for (const [directive, value] of [
    ["StartLimitAction", "reboot-force"],
    ["FailureAction", "poweroff"],
  ] as const) {
    test(`refuses ${directive}=${value}`, () => {
      const resource = serviceResource(happy);
      resource.props.sections = { Unit: { [directive]: ["none", value] }, Service: happy };
      assert.deepEqual(violations(restartPaced, resource), [
        `api.service: [Unit] ${directive}=${value}, wanted none: one failing service would take the whole host down`,
      ]);
    });
  }
  test("passes StartLimitAction=none", () => {
    const resource = serviceResource(happy);
    resource.props.sections = { Unit: { StartLimitAction: "none", FailureAction: "" }, Service: happy };
    assert.deepEqual(violations(restartPaced, resource), []);
  });
});
