import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { watchdogRequired } from "../../policies/watchdog-required.ts";
import { serviceResource, violations } from "./resource-args.ts";

const happy = { Type: "notify", ExecStart: "/usr/bin/api", WatchdogSec: "30s", Restart: "on-failure" };

suite("watchdog-required", () => {
  const accepted: [why: string, service: Record<string, string | string[]>][] = [
    ["a notify service with a watchdog and a restart", happy],
    ["notify-reload", { ...happy, Type: "notify-reload" }],
    ["a bare number, which is seconds", { ...happy, WatchdogSec: "30" }],
    ["the shortest that is allowed", { ...happy, WatchdogSec: "1s" }],
    ["the longest that is allowed", { ...happy, WatchdogSec: "600" }],
    ["Restart=always", { ...happy, Restart: "always" }],
    ["Restart=on-abnormal", { ...happy, Restart: "on-abnormal" }],
    ["Restart=on-watchdog", { ...happy, Restart: "on-watchdog" }],
    ["a type that cannot ping", { Type: "exec", ExecStart: "/usr/bin/api" }],
    ["no type", { ExecStart: "/usr/bin/api" }],
  ];
  for (const [why, service] of accepted) {
    test(`passes ${why}`, () => assert.deepEqual(violations(watchdogRequired, serviceResource(service)), []));
  }

  const hangs = "a service that hangs would stay up in name and serve nobody";
  const refused: [found: string, change: Record<string, string | string[]>, why: string][] = [
    ["WatchdogSec=0", { WatchdogSec: "0" }, hangs],
    ["WatchdogSec=infinity", { WatchdogSec: "infinity" }, hangs],
    ["WatchdogSec=0", { WatchdogSec: ["30s", "0"] }, hangs],
    ["WatchdogSec= is not set", { WatchdogSec: "" }, hangs],
    ["WatchdogSec=999ms", { WatchdogSec: "999ms" }, "a short pause on a busy host would kill a healthy service"],
    [
      "WatchdogSec=10min 1us",
      { WatchdogSec: "10min 1us" },
      "a service that hangs would be out for that long before it is restarted",
    ],
    ["WatchdogSec=soon", { WatchdogSec: "soon" }, "it is no time span, so systemd ignores it"],
  ];
  for (const [found, change, why] of refused) {
    test(`refuses ${JSON.stringify(change)}`, () => {
      assert.deepEqual(violations(watchdogRequired, serviceResource({ ...happy, ...change })), [
        `api.service: [Service] ${found}, wanted 1s to 10min: ${why}`,
      ]);
    });
  }

  for (const Type of ["notify", "notify-reload"]) {
    test(`refuses a service of Type=${Type} without WatchdogSec=`, () => {
      const { WatchdogSec, ...without } = happy;
      assert.deepEqual(violations(watchdogRequired, serviceResource({ ...without, Type })), [
        `api.service: [Service] WatchdogSec= is not set, wanted 1s to 10min: ${hangs}`,
      ]);
    });
  }

  const uncovered: [found: string, restart: string][] = [
    ["Restart=no", "no"],
    ["Restart=on-abort", "on-abort"],
    ["Restart=on-success", "on-success"],
    ["Restart= is not set", ""],
  ];
  for (const [found, Restart] of uncovered) {
    test(`refuses ${found}, which leaves it dead after its watchdog`, () => {
      assert.deepEqual(violations(watchdogRequired, serviceResource({ ...happy, Restart })), [
        `api.service: [Service] ${found}, wanted always, on-failure, on-abnormal or on-watchdog: a service that its watchdog kills would stay dead`,
      ]);
    });
  }

  test("names everything that is wrong at once", () => {
    assert.equal(violations(watchdogRequired, serviceResource({ Type: "notify" })).length, 2);
  });

  test("takes its bounds from the config", () => {
    const resource = { ...serviceResource(happy), config: { minimum: "45s", maximum: "1min" } };
    assert.deepEqual(violations(watchdogRequired, resource), [
      "api.service: [Service] WatchdogSec=30s, wanted 45s to 1min: a short pause on a busy host would kill a healthy service",
    ]);
  });

  for (const [minimum, problem] of [
    ["soon", '"soon" is not a time span'],
    ["infinity", '"infinity" is no bound; write a time span such as 5min'],
    ["0", '"0" is no bound; write a time span such as 5min'],
  ] as const) {
    test(`refuses ${minimum} as a bound`, () => {
      const [message = "", ...others] = violations(watchdogRequired, {
        ...serviceResource(happy),
        config: { minimum },
      });
      assert.deepEqual(others, []);
      assert.ok(
        message.startsWith(`the config of watchdog-required is wrong, so it checks nothing: minimum: ${problem}`),
        message,
      );
    });
  }
});
