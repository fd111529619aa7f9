import assert from "node:assert/strict";
import { test } from "node:test";
import { pulumiYaml } from "../../../cli/stack/pulumi-yaml.ts";

// All of this was measured with `pulumi config --json` of Pulumi 3.259.0.
const scalars: readonly [string, unknown][] = [
  ["0660", 432],
  ["-0660", -432],
  ["0o660", 432],
  ["0_7", 7],
  ["00", 0],
  ["089", 89],
  ["0779", 779],
  ["1_000", 1000],
  ["1__0", 10],
  ["1_", 1],
  ["_1", "_1"],
  ["0x1F", 31],
  ["0x_F", 15],
  ["-0X1f", -31],
  ["0b101", 5],
  ["0o", "0o"],
  ["0b2", "0b2"],
  ["+5", 5],
  ["1e3", 1000],
  ["1_0.5", 10.5],
  ["+.5", 0.5],
  ["5.", 5],
  ["1e400", "1e400"],
  ["0x1.8p1", "0x1.8p1"],
  ["12:30:00", "12:30:00"],
  ["yes", "yes"],
  ["off", "off"],
  ["True", true],
  ["~", null],
  ["nULL", "nULL"],
  ['"0660"', "0660"],
  ["2026-01-02", "2026-01-02 00:00:00 +0000 UTC"],
  ["2026-1-2", "2026-01-02 00:00:00 +0000 UTC"],
  ["2026-01-02T03:04:05Z", "2026-01-02 03:04:05 +0000 UTC"],
  ["2026-1-2T3:4:5Z", "2026-01-02 03:04:05 +0000 UTC"],
  ["2026-01-02 03:04:05.5", "2026-01-02 03:04:05.5 +0000 UTC"],
  ["2026-01-02T03:04:05.120+05:30", "2026-01-02 03:04:05.12 +0530 +0530"],
  ["2026-01-02T03:04:05", "2026-01-02T03:04:05"],
  ["2026-01-02 03:04:05 +02:00", "2026-01-02 03:04:05 +02:00"],
  ["2026-02-30", "2026-02-30"],
  ["'2026-01-02'", "2026-01-02"],
];

test("numbers, words and times are read as Pulumi reads them", () => {
  const read = pulumiYaml(scalars.map(([written]) => `- ${written}`).join("\n"), "Pulumi.dev.yaml");
  assert.deepEqual(
    (read as unknown[]).map((value, index) => [scalars[index]?.[0], value]),
    scalars,
  );
});

test("keys are merged: what is written at the place itself counts, then what is merged first", () => {
  const text = `
one: &one { a: 1, b: 2 }
two: &two { b: 3, c: 4 }
both: { <<: [*one, *two], d: 5 }
late: { b: 9, <<: *one }
early: { <<: *one, b: 9 }
`;
  const { both, late, early } = pulumiYaml(text, "Pulumi.dev.yaml") as Record<string, unknown>;
  assert.deepEqual(both, { a: 1, b: 2, c: 4, d: 5 });
  assert.deepEqual(
    [late, early],
    [
      { a: 1, b: 9 },
      { a: 1, b: 9 },
    ],
  );
});
