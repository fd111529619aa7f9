import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { bundleOfFiles, hostFiles } from "../../../cli/render/host-files.ts";
import { render } from "../../../cli/render/render.ts";
import { UsageError } from "../../../cli/unit-source.ts";
import { printedJson, recordingTerminal } from "../recording-terminal.ts";

const cwd = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const folder = mkdtempSync(join(tmpdir(), "render-"));
after(() => rmSync(folder, { recursive: true }));
const hostKey = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}`;

function stackFile(services: object): string {
  const config = {
    "pulumi-systemd:hosts": { web1: { connection: { host: "web1.example.org", hostKey } } },
    "pulumi-systemd:services": services,
  };
  const file = join(folder, "Pulumi.test.yaml");
  writeFileSync(file, JSON.stringify({ config }));
  return file;
}

const api = { exec: ["/usr/bin/api"], secretEnvironment: { KEY: { secure: "v1:YWJj:ZGVm" } } };
const unitFile = "web1/files/etc/systemd/system/api.service";
const secretFile = "web1/files/etc/pulumi-systemd/api.env";
const hostFile = "web1/host.json";

test("every file of a host, its secrets as placeholders, the same each time", async () => {
  const configFile = stackFile({ api });
  const printed = [recordingTerminal(), recordingTerminal()];
  for (const terminal of printed)
    assert.equal(await render({ cwd, stack: "test", configFile, json: true }, terminal), 0);
  const [files, again] = printed.map((terminal) => printedJson(terminal) as Record<string, string>);
  assert.deepEqual(files, again);
  assert.deepEqual(Object.keys(files ?? {}), [secretFile, unitFile, hostFile]);
  assert.equal(files?.[secretFile], "[secret]\n");
  assert.match(files?.[unitFile] ?? "", /^ExecStart=\/usr\/bin\/api$/m);
  const { scope, units, files: beside } = JSON.parse(files?.[hostFile] ?? "");
  assert.equal(scope, "pulumi-systemd/test/web1");
  assert.deepEqual(beside, [{ path: "/etc/pulumi-systemd/api.env", mode: "0600", encoding: "utf-8", secret: true }]);
  assert.deepEqual([units[0].name, units[0].enabled, "content" in units[0]], ["api.service", true, false]);
});

test("a folder is made current, and --check says whether it is", async () => {
  const out = join(folder, "rendered");
  const run = async (services: object, check: boolean) => {
    const terminal = recordingTerminal();
    const status = await render({ cwd, stack: "test", configFile: stackFile(services), out, check }, terminal);
    return [status, ...terminal.printed];
  };
  assert.deepEqual(await run({ api }, true), [
    1,
    "missing README.md",
    `missing ${secretFile}`,
    `missing ${unitFile}`,
    `missing ${hostFile}`,
    `${out} is not what the program says now`,
  ]);
  assert.equal((await run({ api }, false))[0], 0);
  assert.deepEqual(await run({ api }, true), [0, `${out} is current`]);
  const other = { api: { exec: ["/usr/bin/api", "--loud"] } };
  assert.deepEqual(await run(other, false), [
    0,
    `wrote ${unitFile}`,
    `wrote ${hostFile}`,
    `removed ${secretFile}`,
    `${out} is current now`,
  ]);
  assert.ok(!readdirSync(join(out, "web1/files/etc")).includes("pulumi-systemd"));
});

test("a folder with a file of somebody else is left as it is", async () => {
  const out = join(folder, "mine");
  mkdirSync(out);
  writeFileSync(join(out, "notes.txt"), "mine\n");
  const rendered = () => render({ cwd, stack: "test", configFile: stackFile({ api }), out }, recordingTerminal());
  await assert.rejects(rendered, (error: Error) => error instanceof UsageError && /did not write/.test(error.message));
  assert.deepEqual(readdirSync(out), ["notes.txt"]);
  assert.equal(readFileSync(join(out, "notes.txt"), "utf8"), "mine\n");
  const linked = join(folder, "linked");
  await render({ cwd, stack: "test", configFile: stackFile({ api }), out: linked }, recordingTerminal());
  symlinkSync(out, join(linked, "link"));
  await assert.rejects(
    () => render({ cwd, stack: "test", configFile: stackFile({ api }), out: linked }, recordingTerminal()),
    /holds link, which is no plain file/,
  );
});

test("--check without a folder is a mistake", async () => {
  const options = { cwd, stack: "test", configFile: stackFile({ api }), check: true };
  await assert.rejects(() => render(options, recordingTerminal()), /--check needs --out FOLDER/);
});

test("what was rendered gives the bundle again, and says what is missing of it", async () => {
  const terminal = recordingTerminal();
  await render({ cwd, stack: "test", configFile: stackFile({ api }), json: true }, terminal);
  const own = Object.entries(printedJson(terminal) as Record<string, string>).map(
    ([path, content]) => [path.slice("web1/".length), content] as const,
  );
  const files = new Map(own);
  const bundle = bundleOfFiles(files, "here");
  assert.deepEqual(hostFiles(bundle), files);
  files.delete(unitFile.slice("web1/".length));
  assert.throws(
    () => bundleOfFiles(files, "here"),
    /^UsageError: here: files\/etc\/systemd\/system\/api\.service is missing/,
  );
  assert.throws(() => bundleOfFiles(new Map([["host.json", "{}"]]), "here"), /here: host\.json is not of this version/);
});
