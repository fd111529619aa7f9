import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, suite, test } from "node:test";
import { isCurrent } from "../../build/current-bundle.js";
import { bundleText, packs } from "../../build/policy-pack.ts";

const root = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "pulumi-systemd-bundle-"));
after(() => rmSync(folder, { recursive: true }));

/** What a pack prints first: the port on which it serves. */
function served(pack: string): Promise<string> {
  const launcher = join(root, "node_modules/@pulumi/pulumi/cmd/run-policy-pack/index.js");
  return new Promise((settle, reject) => {
    const child = spawn(process.execPath, [launcher, "127.0.0.1:1", "."], {
      cwd: join(root, pack),
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 120_000,
    });
    let errors = "";
    child.stderr.on("data", (chunk) => {
      errors += chunk;
    });
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`the pack ended with ${code}: ${errors}`)));
    child.stdout.once("data", (chunk) => {
      child.kill();
      settle(String(chunk).trim());
    });
  });
}

suite("the bundle of a policy pack", () => {
  for (const pack of packs) {
    test(`of ${pack.folder}: the same sources give the same text, without a path of this machine`, async () => {
      const [first, second] = [await bundleText(pack), await bundleText(pack)];
      assert.equal(first, second);
      assert.ok(!first.includes(root), first.slice(Math.max(first.indexOf(root) - 200, 0), first.indexOf(root) + 200));
      const { sources } = JSON.parse(first.slice(3, first.indexOf("\n")));
      assert.ok(sources.includes(`${pack.folder}/pack.ts`) && sources.includes("systemd/exposure.ts"), sources.join());
    });

    test(`of ${pack.folder}: it is current while its sources are, and the launcher of Pulumi serves it`, async () => {
      const text = await bundleText(pack);
      const file = join(folder, "pack.cjs");
      assert.equal(isCurrent(join(folder, "none.cjs")), false);
      writeFileSync(file, text);
      assert.equal(isCurrent(file), true);
      writeFileSync(file, text.replace(/"digest":"./, '"digest":"-'));
      assert.equal(isCurrent(file), false);
      assert.match(await served(pack.folder), /^\d+$/);
    });
  }
});
