import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { timerJitter } from "../../policies/timer-jitter.ts";
import { type FakeResource, hostResources, unitResource, violations } from "./resource-args.ts";

const message = (name: string) =>
  `${name}: [Timer] RandomizedDelaySec= is not set, and other hosts have it too, wanted a delay such as 10min: what it starts would begin on all of them in the same second, and hit what they share`;

/** A timer that so many hosts get. */
function fleet(name: string, lines: string[], hosts: number, config = {}): FakeResource[] {
  const text = ["[Timer]", ...lines, ""].join("\n");
  const all = Array.from({ length: hosts }, (_, index) =>
    hostResources(`${name}-${index}`, { [name]: text }, { config }),
  );
  return [{ ...unitResource(name, text), config }, ...all.flat()];
}

suite("timer-jitter", () => {
  test("passes a timer of one host", () => {
    assert.deepEqual(violations(timerJitter, ...fleet("one.timer", ["OnCalendar=daily"], 1)), []);
  });
  test("refuses it from the second host on", () => {
    assert.deepEqual(violations(timerJitter, ...fleet("three.timer", ["OnCalendar=daily"], 3)), [
      message("three.timer"),
      message("three.timer"),
    ]);
  });
  test("refuses a delay of 0, or one that is taken back", () => {
    for (const [name, delay] of [
      ["zero.timer", "RandomizedDelaySec=0"],
      ["empty.timer", "RandomizedDelaySec=5min\nRandomizedDelaySec="],
    ] as const) {
      assert.deepEqual(violations(timerJitter, ...fleet(name, ["OnCalendar=daily", delay], 2)), [message(name)]);
    }
  });
  for (const [name, ...lines] of [
    ["delayed.timer", "OnCalendar=daily", "RandomizedDelaySec=10min"],
    ["offset.timer", "OnCalendar=daily", "RandomizedOffsetSec=10min"],
    ["monotonic.timer", "OnUnitActiveSec=1h", "OnBootSec=1min"],
    ["reset.timer", "OnCalendar=daily", "OnCalendar=", "OnBootSec=1min"],
  ] as [string, ...string[]][]) {
    test(`passes ${name}: ${lines.join(" ")}`, () => {
      assert.deepEqual(violations(timerJitter, ...fleet(name, lines, 2)), []);
    });
  }
  test("counts from where the config says", () => {
    assert.deepEqual(violations(timerJitter, ...fleet("fleet.timer", ["OnCalendar=daily"], 4, { hosts: 4 })), [
      message("fleet.timer"),
    ]);
    assert.deepEqual(violations(timerJitter, ...fleet("single.timer", ["OnCalendar=daily"], 1, { hosts: 1 })), [
      message("single.timer").replace("other hosts have it too", "it goes by the clock"),
    ]);
  });
  test("passes the timer of a health check, which asks its own host", () => {
    const text = "[Timer]\nOnCalendar=minutely\n";
    const timer = { ...unitResource("check.timer", text), parents: ["systemd:index:HealthCheck"] };
    const hosts = ["h1", "h2"].flatMap((host) => hostResources(host, { "check.timer": text }));
    assert.deepEqual(violations(timerJitter, timer, ...hosts), []);
  });
  test("looks at timers alone", () => {
    const service = hostResources("s1", { "odd.service": "[Timer]\nOnCalendar=daily\n" }, { config: { hosts: 1 } });
    assert.deepEqual(violations(timerJitter, ...service), []);
  });
});
