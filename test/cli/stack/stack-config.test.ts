import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { projectFile } from "../../../cli/stack/project-file.ts";
import { stackConfigValues } from "../../../cli/stack/stack-config.ts";

const folder = mkdtempSync(join(tmpdir(), "pulumi-systemd-test-"));
after(() => rmSync(folder, { recursive: true }));

test("a program gets the texts that Pulumi gives it: keys sorted and merged, nothing as an empty text", async () => {
  writeFileSync(
    join(folder, "Pulumi.yaml"),
    "name: shop\nruntime: nodejs\nconfig: { mode: 0660, obj: { value: { z: 1, a: 0_7 } } }\n",
  );
  writeFileSync(
    join(folder, "Pulumi.dev.yaml"),
    `
config:
  shop:base: &base { user: app, environment: { Z: 1, A: "1" } }
  shop:services: { web: [{ b: 1, a: 2 }], api: { zz: 1, <<: *base, until: 2027-01-02 } }
  shop:empty:
  shop:date: 2026-01-02
  shop:word: yes
`,
  );
  const { values } = await stackConfigValues({ project: projectFile(folder), stack: "dev" });
  // As `pulumi config --json` prints them.
  assert.deepEqual(values, {
    "shop:mode": "432",
    "shop:obj": '{"a":7,"z":1}',
    "shop:base": '{"environment":{"A":"1","Z":1},"user":"app"}',
    "shop:services":
      '{"api":{"environment":{"A":"1","Z":1},"until":"2027-01-02 00:00:00 +0000 UTC","user":"app","zz":1},"web":[{"a":2,"b":1}]}',
    "shop:empty": "",
    "shop:date": "2026-01-02 00:00:00 +0000 UTC",
    "shop:word": "yes",
  });
});
