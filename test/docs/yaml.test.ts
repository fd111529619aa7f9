// Every YAML snippet is config that can be copied as it stands: with it the program defines units and brings them to a host.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { projectFile } from "../../cli/stack/project-file.ts";
import { secretPlaceholder, stackConfigValues } from "../../cli/stack/stack-config.ts";
import { stackConfig } from "../../program/config.ts";
import { deployedHosts } from "../../program/stack.ts";
import { settledValue, warnings } from "../components/recorded.ts";
import { snippets } from "./snippets.ts";

const project = projectFile(import.meta.dirname);
const hostKey = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}`;
const exec = ["/usr/bin/serve"];
/** What the reader's stack has besides, where a snippet does not define it itself. */
const elsewhere: Readonly<Record<string, Readonly<Record<string, object>>>> = {
  hosts: { web1: { connection: { host: "192.0.2.1", privateKey: "hush-hush", hostKey } } },
  services: {
    api: { exec },
    orders: { exec, secretEnvironment: { KEY: "hush-hush" } },
    nginx: { exec },
    "backend-restart": { exec, type: "oneshot", onDemand: true },
  },
  timers: { cleanup: { onCalendar: "daily", service: { exec } } },
  notifiers: { ops: { sendmail: { from: "web@example.org", to: ["ops@example.org"] } } },
};

let folder: string;

/** A folder of the reader's own, with the files that the snippets name. */
before(() => {
  folder = mkdtempSync(join(tmpdir(), "snippets-"));
  const write = (path: string, text: string) => {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  write("app/main.py", "print('served')\n");
  write("app/requirements.txt", "");
  write("app.toml", "");
  write(".ssh/id_ed25519", "hush-hush");
  const connection = { host: "192.0.2.1", port: 22, user: "deploy", privateKeyFile: join(folder, ".ssh/id_ed25519") };
  write("pulumi-systemd/hosts/web1/connection.json", JSON.stringify({ ...connection, hostKey }));
  process.chdir(folder);
  Object.assign(process.env, { HOME: folder, XDG_CACHE_HOME: folder });
});
after(() => {
  process.chdir(project.folder);
  rmSync(folder, { recursive: true });
});

const all = snippets("yaml", "yml");

test("there are such snippets", () => assert.ok(all.length > 20, String(all.length)));

for (const { place, code } of all) {
  test(`${place} can be copied as it stands`, async () => {
    assert.match(code, /^config:\n/, "begin it with `config:` and whole keys, so that it can be copied as it stands");
    const configFile = join(folder, "Pulumi.docs.yaml");
    // The dots stand for the rest of a key.
    const text = code.replace("ssh-ed25519 AAAA...", hostKey);
    writeFileSync(configFile, text);
    const { values, secretKeys } = await stackConfigValues({ project, stack: "docs", configFile });
    const readable = mapValues(values, (value) => value.replaceAll(secretPlaceholder, "https://example.org/hush-hush"));
    const config = stackConfig(project.name, { ...readable, ...withElsewhere(readable) }, secretKeys, text);
    const told = warnings.length;
    const hosts = Object.values(deployedHosts(config));
    assert.equal(hosts.length, 1);
    await Promise.all(hosts.map((host) => settledValue(host.receipt)));
    assert.deepEqual(warnings.slice(told), []);
  });
}

/** The keys that what stands elsewhere adds to, with the snippet's own definitions in the first place. */
function withElsewhere(values: Readonly<Record<string, string>>): Record<string, string> {
  const own: Record<string, Record<string, unknown>> = mapValues(values, (value) => JSON.parse(value));
  const names = new Set(Object.values(own).flatMap((section) => Object.keys(section)));
  return Object.fromEntries(
    Object.entries(elsewhere).map(([section, definitions]) => {
      const key = `${project.name}:${section}`;
      const missing = Object.entries(definitions).filter(([name]) => !names.has(name));
      return [key, JSON.stringify({ ...Object.fromEntries(missing), ...own[key] })];
    }),
  );
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, to: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, to(value)]));
}
