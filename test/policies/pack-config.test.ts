import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { PackConfigError, ruleSettings } from "../../policies/pack-config.ts";
import { rules } from "../../policies/policies.ts";

const levelsOf = (file: unknown) => {
  const settings = ruleSettings(rules, file);
  return ["sandbox-tier", "restart-required", "no-install"].map((name) => settings.get(name)?.level);
};

suite("a file for --policy-pack-config", () => {
  test("without levels each rule has its own", () => {
    assert.deepEqual(levelsOf({}), ["mandatory", "mandatory", "advisory"]);
  });
  test("`all` is for every rule, a rule's own entry goes before it", () => {
    assert.deepEqual(levelsOf({ all: "advisory", "restart-required": "disabled" }), [
      "advisory",
      "disabled",
      "advisory",
    ]);
    assert.deepEqual(levelsOf({ all: { enforcementLevel: "disabled" }, "sandbox-tier": { daemon: "open" } }), [
      "disabled",
      "disabled",
      "disabled",
    ]);
    assert.deepEqual(levelsOf({ "no-install": { enforcementLevel: "mandatory" } }), [
      "mandatory",
      "mandatory",
      "mandatory",
    ]);
  });
  test("a rule's keys come without the level", () => {
    const entry = { enforcementLevel: "advisory", maximum: 3 };
    assert.deepEqual(ruleSettings(rules, { "sandbox-exposure": entry }).get("sandbox-exposure"), {
      level: "advisory",
      config: { maximum: 3 },
    });
  });
  for (const [problem, file] of [
    ["there is no policy sandbox-teir", { "sandbox-teir": "advisory" }],
    ["there is no policy a, b", { a: "advisory", b: "advisory" }],
    [
      'sandbox-exposure: maximum: Too big: expected number to be <=10; Unrecognized key: "x"',
      { "sandbox-exposure": { maximum: 11, x: 1 } },
    ],
    ["sandbox-tier: Invalid input", { "sandbox-tier": { enforcementLevel: "mandatroy" } }],
    ["sandbox-exposure: maximum: Too big: expected number to be <=10", { "sandbox-exposure": { maximum: 11 } }],
    ['sandbox-exposure: Unrecognized key: "maximun"', { "sandbox-exposure": { maximun: 3 } }],
    ["sandbox-tier: Invalid input", { "sandbox-tier": "mandatroy" }],
  ] as const) {
    test(problem, () => {
      assert.throws(
        () => ruleSettings(rules, file),
        (error: Error) => error instanceof PackConfigError && error.message === problem,
      );
    });
  }
});
