import assert from "node:assert/strict";
import { test } from "node:test";
import { plan } from "../../activation/plan.ts";
import { rolledInstances } from "../../activation/plan-rolling.ts";
import { testBundle, testUnit } from "./test-bundle.ts";

const service = (n: number) => `[Service]\nExecStart=/bin/a ${n}\n`;

test("instances of one service roll in the order of their names, numbers by value", () => {
  const known = [
    "a@10.service",
    "b@x.service",
    "a@2.service",
    "a@1.service",
    "one@1.service",
    "b@eu.service",
    "c.service",
  ];
  assert.deepEqual(rolledInstances([...known, "a@1.socket", "a@.service"], known), [
    "a@1.service",
    "a@2.service",
    "a@10.service",
    "b@eu.service",
    "b@x.service",
  ]);
  assert.deepEqual(rolledInstances(["a@2.service"], known), ["a@2.service"]);
});

test("the plan restarts them one by one, each watched before the next; others go first and together", () => {
  const names = ["a@1.service", "a@2.service", "b.service", "c.service"];
  const bundle = (n: number) => testBundle(names.map((name) => testUnit(name, service(n))));
  const { steps } = plan(bundle(1), bundle(2));
  const from = steps.findIndex(({ step }) => step === "restart");
  assert.deepEqual(steps.slice(from), [
    { step: "restart", of: ["b.service", "c.service"] },
    { step: "watch", of: ["b.service", "c.service"] },
    { step: "restart", of: ["a@1.service"] },
    { step: "watch", of: ["a@1.service"] },
    { step: "restart", of: ["a@2.service"] },
    { step: "watch", of: ["a@2.service"] },
  ]);
});
