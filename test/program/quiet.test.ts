import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { load } from "js-yaml";
import { stackConfig } from "../../program/config.ts";
import { deployedHosts } from "../../program/stack.ts";
import { settledValue, warnings } from "../components/recorded.ts";

const top = join(import.meta.dirname, "..", "..");
const project = "pulumi-systemd";
const hostKey = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}`;
const hosts = { web1: { connection: { host: "192.0.2.1", privateKey: "hush-hush", hostKey } } };

for (const file of [
  "Pulumi.dev.yaml",
  "Pulumi.prod.yaml",
  ...globSync("examples/*/Pulumi.example.yaml", { cwd: top }),
]) {
  test(`${file} raises no warning`, async () => {
    const { config } = load(readFileSync(join(top, file), "utf8")) as { config: Record<string, unknown> };
    const values = { ...config, [`${project}:hosts`]: hosts };
    const texts = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, JSON.stringify(value)]));
    const before = warnings.length;
    const deployed = deployedHosts(stackConfig(project, texts));
    await Promise.all(Object.values(deployed).map((host) => settledValue(host.receipt)));
    assert.deepEqual(warnings.slice(before), []);
  });
}
