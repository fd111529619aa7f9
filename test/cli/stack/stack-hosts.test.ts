import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { build } from "esbuild";
import { z } from "zod";
import { stackHosts } from "../../../cli/stack/stack-hosts.ts";

const programs = join(import.meta.dirname, "programs");
const repository = join(import.meta.dirname, "../../..");
const scratch = mkdtempSync(join(tmpdir(), "pulumi-systemd-test-"));
after(() => rmSync(scratch, { recursive: true }));

const shop = stackHosts({ folder: join(programs, "typescript"), stack: "prod" });

test("a program of one's own: hosts, their units and where each comes from", async () => {
  const stack = await shop;
  assert.deepEqual([stack.project, stack.stack, stack.errors], ["shop", "prod", []]);
  const [web1, web2] = stack.hosts;
  assert.ok(web1 !== undefined && web2 !== undefined);
  assert.equal(web1.scope, "shop/prod/web1");
  assert.deepEqual(web1.unknown, []);
  assert.deepEqual(
    web1.units.map(({ name, definedBy }) => [name, `${definedBy?.type} ${definedBy?.name}`]),
    [
      ["api.service", "systemd:index:Service api"],
      ["nightly.service", "systemd:index:Timer nightly"],
      ["nightly.timer", "systemd:index:Timer nightly"],
    ],
  );
  const [api, , timer] = web1.units;
  assert.match(
    api?.text ?? "",
    /^ExecStart=\/usr\/bin\/api eu "2026-01-02 00:00:00 \+0000 UTC"$/m,
    "config of the project and of the stack",
  );
  assert.equal(timer?.model.Timer?.OnCalendar?.toString(), "*-*-* 03:00:00");
  assert.equal(web1.bundle?.scope, "shop/prod/web1");
  assert.deepEqual(web1.bundle?.units.map(({ name }) => name).sort(), [
    "api.service",
    "nightly.service",
    "nightly.timer",
  ]);
  assert.deepEqual(
    [web1.connection?.host, web1.connection?.user, web1.connection?.privateKey],
    ["192.0.2.7", "root", "k"],
  );
});

test("a secret that is not decrypted is a placeholder", async () => {
  const stack = await shop;
  const file = stack.hosts[0]?.bundle?.files.find(({ secret }) => secret);
  assert.equal(file?.content, 'API_KEY="[secret]"\n');
});

test("what only an update can know is told, and hides no other host", async () => {
  const stack = await shop;
  const web2 = stack.hosts[1];
  assert.equal(web2?.name, "web2");
  assert.deepEqual([web2?.address, web2?.bundle, web2?.connection], [undefined, undefined, undefined]);
  assert.deepEqual(web2?.unknown, ["connection.host", "text of late.service"]);
  assert.deepEqual(
    stack.notes.map((note) => note.slice(0, note.indexOf(": nobody"))),
    ["function cloud:index:getZones", "read of pulumi:pulumi:StackReference network"],
  );
});

test("the program of this repository: a stack of YAML", async () => {
  const configFile = join(scratch, "Pulumi.test.yaml");
  const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  const config = {
    "pulumi-systemd:hosts": { web1: { connection: { host: "web1", hostKey, privateKeyFile: "/no/such/key" } } },
    "pulumi-systemd:services": { api: { exec: ["/bin/true"], secretEnvironment: { K: { secure: "v1:a" } } } },
  };
  writeFileSync(configFile, JSON.stringify({ config }));
  const stack = await stackHosts({ folder: join(repository, "docs"), stack: "test", configFile });
  assert.deepEqual(stack.errors, []);
  assert.deepEqual(
    stack.hosts.map(({ name, units }) => [name, units.map((unit) => unit.name)]),
    [["web1", ["api.service"]]],
  );
  // A program that only looks needs no key to log in with.
  assert.match(stack.warnings[0]?.message ?? "", /privateKeyFile: \/no\/such\/key cannot be read/);
});

test("the program of this repository: keys in files, that of the bastion too", async () => {
  const configFile = join(scratch, "Pulumi.keys.yaml");
  const [own, bastion] = ["own", "bastion"].map((name) => {
    writeFileSync(join(scratch, name), `the key ${name}`);
    return {
      host: name,
      hostKey: `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}`,
      privateKeyFile: join(scratch, name),
    };
  });
  const config = { "pulumi-systemd:hosts": { web1: { connection: { ...own, proxy: bastion } } } };
  writeFileSync(configFile, JSON.stringify({ config }));
  const { hosts, errors } = await stackHosts({ folder: join(repository, "docs"), stack: "keys", configFile });
  assert.deepEqual(errors, []);
  const { privateKey, bastion: first } = hosts[0]?.connection ?? {};
  assert.deepEqual([privateKey, first?.host, first?.privateKey], ["the key own", "bastion", "the key bastion"]);
});

test("a TypeScript program that needs a compiler runs by ts-node, as Pulumi runs it", async () => {
  const { components, errors } = await stackHosts({ folder: join(programs, "ts-node"), stack: "dev" });
  assert.deepEqual(errors, []);
  assert.deepEqual(
    components.map(({ type, name, inputs }) => [type, name, inputs]),
    [["systemd:index:Thing", "one", { size: 1 }]],
  );
});

test("a compiled program in a folder, with arguments for Node.js and an organization", async () => {
  const { components, errors } = await stackHosts({ folder: join(programs, "javascript"), stack: "acme/compiled/dev" });
  assert.deepEqual(errors, []);
  assert.deepEqual(
    components.map(({ name, inputs }) => [name, inputs]),
    [["of-acme", { limit: 5 }]],
  );
});

/** A compiled program of its own folder, beside the SDK that this repository has. */
function programIn(folder: string, files: Readonly<Record<string, string>>): string {
  const path = join(scratch, folder);
  mkdirSync(path);
  symlinkSync(join(repository, "node_modules"), join(path, "node_modules"));
  const all = {
    "Pulumi.yaml": `name: ${folder}\nmain: index.cjs\nruntime: { name: nodejs, options: { typescript: false } }\n`,
    "Pulumi.dev.yaml": "config: {}\n",
    "package.json": "{}",
    ...files,
  };
  for (const [name, content] of Object.entries(all)) writeFileSync(join(path, name), content);
  return path;
}

test("a program that holds Pulumi's SDK in its own file", async () => {
  const source = `
    const pulumi = require("@pulumi/pulumi");
    new pulumi.ComponentResource("systemd:index:Thing", "one", { size: 1, key: pulumi.secret("k") });
    pulumi.log.warn("be careful");`;
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: repository },
    bundle: true,
    write: false,
    platform: "node",
    external: ["typescript", "ts-node"],
    logLevel: "error",
  });
  const folder = programIn("bundled", { "index.cjs": outputFiles[0]?.text ?? "" });
  const { components, errors, warnings } = await stackHosts({ folder, stack: "dev" });
  assert.deepEqual([errors, warnings], [[], [{ resource: undefined, message: "be careful" }]]);
  assert.deepEqual(
    components.map(({ name, inputs }) => [name, inputs]),
    [["one", { size: 1, key: "k" }]],
  );
});

test("neither a program nor what it forks sees how it is looked at", async () => {
  const folder = programIn("forking", {
    "index.cjs": `
      const { once } = require("node:events");
      const { fork } = require("node:child_process");
      const pulumi = require("@pulumi/pulumi");
      const child = fork(require.resolve("./child.cjs"));
      const said = once(child, "message").then(([message]) => message);
      new pulumi.ComponentResource("systemd:index:Thing", "one", { said, own: process.execArgv.join(" ") });`,
    "child.cjs": `process.send(process.execArgv.join(" "));`,
  });
  const { components, errors } = await stackHosts({ folder, stack: "dev" });
  assert.deepEqual(errors, []);
  const { said, own } = z.object({ said: z.string(), own: z.string() }).parse(components[0]?.inputs);
  assert.equal(said, own);
  assert.doesNotMatch(own, /import|recorder/);
});

test("what a program registers before it ends itself is there", async () => {
  const folder = programIn("leaving", {
    "index.cjs": `
      const pulumi = require("@pulumi/pulumi");
      const one = new pulumi.ComponentResource("systemd:index:Thing", "one", { text: "x".repeat(1_000_000) });
      one.urn.apply(() => process.exit(3));`,
  });
  const { components, errors } = await stackHosts({ folder, stack: "dev" });
  assert.deepEqual(errors, [{ resource: undefined, message: "the program ended with status 3" }]);
  assert.deepEqual(components[0]?.inputs, { text: "x".repeat(1_000_000) });
});

test("a mistake is one error of its resource in plain words; the rest is there", async () => {
  const { components, errors } = await stackHosts({ folder: join(programs, "failing"), stack: "dev" });
  assert.equal(errors.length, 1);
  assert.equal(errors[0]?.resource, "systemd:index:Service bad");
  assert.match(errors[0]?.message ?? "", /^bad: watchdogSec: "90x" is not a time span/);
  assert.ok(components.some(({ name }) => name === "good.service"));
});

test("a program that does not end is ended", async () => {
  const { errors } = await stackHosts({ folder: join(programs, "unending"), stack: "dev", timeoutSec: 4 });
  assert.deepEqual(errors, [{ resource: undefined, message: "the program had not ended after 4 s\nstill at it" }]);
});

for (const [what, folder, stack, message] of [
  ["a stack without a file", "typescript", "porduction", /Pulumi\.porduction\.yaml does not exist; .* stacks prod$/],
  ["another language", "other-language", "dev", /its program runs on python; only programs of Node\.js/],
] as const) {
  test(`${what} is one line`, async () => {
    await assert.rejects(stackHosts({ folder: join(programs, folder), stack }), { name: "UsageError", message });
  });
}

test("a folder without a project is one line", async () => {
  await assert.rejects(stackHosts({ folder: scratch, stack: "dev" }), {
    name: "UsageError",
    message: /^no Pulumi\.yaml in /,
  });
});
