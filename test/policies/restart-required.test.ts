import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { restartRequired } from "../../policies/restart-required.ts";
import { serviceResource, violations } from "./resource-args.ts";

const happy = { Type: "exec", ExecStart: "/usr/bin/api", Restart: "on-failure" };

suite("restart-required", () => {
  for (const Restart of ["always", "on-failure", "on-abnormal", "on-abort", "on-watchdog"]) {
    test(`passes Restart=${Restart}`, () => {
      assert.deepEqual(violations(restartRequired, serviceResource({ ...happy, Restart })), []);
    });
  }

  const ending: [why: string, service: Record<string, string | string[]>][] = [
    ["Type=oneshot", { Type: "oneshot", ExecStart: "/usr/bin/api" }],
    ["a unit without command, which is a oneshot", { ExecStop: "/usr/bin/api" }],
    ["a unit whose command was reset", { ExecStart: ["/usr/bin/api", ""], ExecStop: "/usr/bin/api" }],
  ];
  for (const [why, service] of ending) {
    test(`passes ${why}`, () => assert.deepEqual(violations(restartRequired, serviceResource(service)), []));
  }

  const refused: [found: string, service: Record<string, string | string[]>][] = [
    ["Restart=no", { ...happy, Restart: "no" }],
    ["Restart= is not set", { ExecStart: "/usr/bin/api" }],
    ["Restart= is not set", { BusName: "org.example.Api" }],
    ["Restart= is not set", { ExecStart: ["", "/usr/bin/api"] }],
    ["Restart=on-success", { ...happy, Restart: "on-success" }],
    ["Restart=no", { ...happy, Restart: ["always", "no"] }],
    ["Restart=no", { ...happy, Type: "simple", Restart: "no" }],
    ["Restart=no", { ...happy, Type: "forking", Restart: "no" }],
  ];
  for (const [found, service] of refused) {
    test(`refuses ${JSON.stringify(service)}`, () => {
      assert.deepEqual(violations(restartRequired, serviceResource(service)), [
        `api.service: [Service] ${found}, wanted always, on-failure, on-abnormal, on-abort or on-watchdog: a service that crashes would stay down until somebody notices`,
      ]);
    });
  }

  test("takes what it accepts from the config", () => {
    const resource = { ...serviceResource(happy), config: { accept: ["always"] } };
    assert.deepEqual(violations(restartRequired, resource), [
      "api.service: [Service] Restart=on-failure, wanted always: a service that crashes would stay down until somebody notices",
    ]);
    const two = { ...serviceResource(happy), config: { accept: ["always", "on-abort"] } };
    assert.deepEqual(violations(restartRequired, two), [
      "api.service: [Service] Restart=on-failure, wanted always or on-abort: a service that crashes would stay down until somebody notices",
    ]);
  });
});
