import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { after, suite, test } from "node:test";
import { isCurrent } from "../../build/current-bundle.js";
import { programBundle, programText, writeProgram } from "../../build/program.ts";
import { stackHosts } from "../../cli/stack/stack-hosts.ts";

const root = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "pulumi-systemd-joined-"));
after(() => rmSync(folder, { recursive: true }));

/** What the program of this repository brings to a host with a bit of everything, when Pulumi starts it at `entry`. */
async function broughtBy(entry: string) {
  const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  writeFileSync(
    join(folder, "Pulumi.yaml"),
    `name: pulumi-systemd\nmain: ${relative(folder, join(root, entry))}\nruntime: { name: nodejs, options: { typescript: false } }\n`,
  );
  writeFileSync(
    join(folder, "Pulumi.dev.yaml"),
    JSON.stringify({
      config: {
        "pulumi-systemd:hosts": { web1: { connection: { host: "192.0.2.1", user: "root", hostKey } } },
        "pulumi-systemd:services": { api: { exec: ["/usr/bin/api"], secretEnvironment: { KEY: "k" } } },
        "pulumi-systemd:timers": { nightly: { onCalendar: "daily", service: { exec: ["/usr/bin/report"] } } },
        "pulumi-systemd:healthChecks": { api: { checks: { api: { unit: "api.service", tcp: { port: 80 } } } } },
      },
    }),
  );
  const { errors, hosts, resources } = await stackHosts({ folder, stack: "dev" });
  assert.deepEqual(errors, []);
  return { bundle: hosts[0]?.bundle, resources: resources.map(({ urn }) => urn).sort() };
}

suite("the program as one file", () => {
  test("the same sources give the same text, without a path of this machine", async () => {
    const [first, second] = [await programText(), await programText()];
    assert.equal(first, second);
    assert.ok(!first.includes(root));
    const { sources } = JSON.parse(first.slice(3, first.indexOf("\n")));
    assert.ok(sources.includes("index.ts") && sources.includes("components/host.ts"), sources.join());
  });

  test("is not run where a source is another one", async () => {
    const file = join(folder, "main.mjs");
    writeFileSync(file, await programText());
    assert.equal(isCurrent(file), true);
    writeFileSync(file, (await programText()).replace(/"digest":"./, '"digest":"-'));
    assert.equal(isCurrent(file), false);
  });

  test("brings to a host what the sources do", async () => {
    await writeProgram();
    assert.ok(isCurrent(join(root, programBundle)));
    const joined = await broughtBy("main.js");
    assert.equal(joined.bundle?.units.length, 5);
    assert.deepEqual(joined, await broughtBy("index.ts"));
  });
});
