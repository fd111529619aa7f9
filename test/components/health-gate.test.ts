import assert from "node:assert/strict";
import { test } from "node:test";
import { argumentProblems } from "../../components/argument-error.ts";
import type { Definition } from "../../components/definition.ts";
import type { HealthSettings } from "../../components/health-check-sections.ts";
import { bundleGate, checkGates, type HealthGatePlain, healthGateSchema } from "../../components/health-gate.ts";
import { hostBundle } from "../../components/host-bundle.ts";
import { testUnit } from "../activation/test-bundle.ts";

const tcp = { kind: "tcp", timeoutSec: 5, host: "127.0.0.1", port: 8000 };

test("a gate has every default filled in, times in seconds", () => {
  assert.deepEqual(bundleGate("api.service", { tcp: { port: 8000 } }, true), {
    probes: [tcp],
    stableSec: 3,
    withinSec: 60,
    confidential: true,
  });
  const own: HealthGatePlain = { memory: { max: "1K" }, timeoutSec: "1s", stableSec: "0", withinSec: "2min" };
  assert.deepEqual(bundleGate("api.service", own, false), {
    probes: [{ kind: "memory", timeoutSec: 1, unit: "api.service", maxBytes: 1024 }],
    stableSec: 0,
    withinSec: 120,
    confidential: false,
  });
});

for (const [gate, message] of [
  [{}, "has no probe; give at least one of http, tcp, unixSocket"],
  [{ tcp: { port: 1 }, stableSec: "1min" }, 'stableSec: "1min" is not less than withinSec ("1min")'],
  [{ tcp: { port: 0 } }, "tcp.port"],
  [{ command: { exec: ["probe"] } }, "command.exec: must begin with the absolute path of a program on the host"],
] as const) {
  test(`${JSON.stringify(gate)} is refused: ${message}`, () => {
    const parsed = healthGateSchema.safeParse(gate);
    assert.equal(parsed.success, false);
    const told = argumentProblems(parsed.error!).join("; ");
    assert.ok(told.includes(message), told);
  });
}

test("a check that is a gate gives its own probes to the deploy, and one that is not gives none", () => {
  const check = { name: "c/a", unit: "api.service", probes: [tcp], graceSec: 90, confidential: false };
  // Only what a gate is made of.
  const settings = { checks: [check, { ...check, unit: "other.service" }] } as unknown as HealthSettings;
  const gates = checkGates({ onCalendar: undefined, checks: { a: { gate: true }, b: {} } }, settings);
  assert.deepEqual(
    gates.map(({ unit, settings: text }) => ({ unit, ...JSON.parse(text) })),
    [{ unit: "api.service", probes: [tcp], stableSec: 3, withinSec: 90, confidential: false }],
  );
  const idle = { checks: [{ ...check, probes: [] }] } as unknown as HealthSettings;
  assert.throws(
    () => checkGates({ onCalendar: undefined, gate: true }, idle),
    /c\/a: gate: needs a unit and at least one probe/,
  );
});

test("a host's bundle has the gate of each unit; two gates of one unit must both hold", () => {
  const gate = (port: number, stableSec: number) => ({
    unit: "api.service",
    settings: JSON.stringify({ probes: [{ ...tcp, port }], stableSec, withinSec: 60, confidential: false }),
  });
  const units = [
    testUnit("api.service", "[Service]\nExecStart=/bin/true\n"),
    testUnit("b.service", "[Service]\nExecStart=/bin/true\n"),
  ];
  const definition: Definition = { units, files: [], users: [], releases: [], gates: [gate(1, 3), gate(2, 9)] };
  const bundle = hostBundle("a/b/c", [definition], { transactionSec: 100, waitSec: 10, confirmSec: 0 });
  assert.deepEqual(
    bundle.units.map(({ gate: found }) => found),
    [
      {
        probes: [
          { ...tcp, port: 1 },
          { ...tcp, port: 2 },
        ],
        stableSec: 9,
        withinSec: 60,
        confidential: false,
      },
      null,
    ],
  );
});
