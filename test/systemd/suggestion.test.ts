import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { suggestedDirectives } from "../../systemd/exposure/suggestion.ts";
import { exposureOf } from "../../systemd/exposure.ts";
import { profileSandbox } from "../../systemd/profiles.ts";
import { unitFileOf } from "../../systemd/sections.ts";
import { parseUnitFile } from "../../systemd/unit-file.ts";

const sandbox = Object.entries(profileSandbox("strict", { systemd: 252 }));
const service = { ExecStart: ["/usr/bin/orders"], User: "orders" };

function withLines(
  lines: readonly { readonly directive: string; readonly value: string }[],
  without: readonly string[],
) {
  const kept = Object.fromEntries(sandbox.filter(([name]) => !without.includes(name)));
  const { sections } = unitFileOf({ Service: { ...service, ...kept } });
  const entries = lines.map(({ directive, value }) => ({ key: directive, value }));
  return { sections: [...sections, { name: "Service", entries }] };
}

test("no smaller set of lines reaches the target", () => {
  const names = sandbox.map(([name]) => name).filter((name) => name !== "SystemCallErrorNumber");
  fc.assert(
    fc.property(
      fc.subarray(names, { minLength: 2, maxLength: 6 }),
      fc.integer({ min: 2, max: 40 }),
      (without, tenfold) => {
        const target = tenfold / 10;
        const open = withLines([], without);
        const { reached, directives } = suggestedDirectives("orders.service", open, target);
        assert.equal(exposureOf("orders.service", withLines(directives, without)).exposure, reached);
        if (directives.length < 2 || reached > target) return;
        // One line for each directive that was taken away is the most that a single line can do.
        const whole = without.map((directive) => ({
          directive,
          value: [profileSandbox("strict", { systemd: 252 })[directive] ?? ""].flat()[0]?.toString() ?? "",
        }));
        for (const fewer of subsets(whole, directives.length - 1)) {
          const { exposure } = exposureOf("orders.service", withLines(fewer, without));
          assert.ok(exposure > target, JSON.stringify({ fewer, exposure, target, directives }));
        }
      },
    ),
    { numRuns: 60 },
  );
});

function subsets<Item>(items: readonly Item[], size: number): Item[][] {
  if (size === 0) return [[]];
  return items.flatMap((item, index) => subsets(items.slice(index + 1), size - 1).map((rest) => [item, ...rest]));
}

test("each line tells what it may break", () => {
  const { directives } = suggestedDirectives("a.service", parseUnitFile("[Service]\nExecStart=/bin/true\n"), 1.5);
  assert.ok(directives.length > 10);
  assert.deepEqual(
    directives.filter(({ mayBreak }) => mayBreak === ""),
    [],
  );
});
