import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigFile, configFiles } from "../../components/config-files.ts";
import { PythonService, Service, type ServiceArgs, Unit } from "../../components/index.ts";
import { inputsOf, settledValue } from "./recorded.ts";

const exec = ["/bin/true"];
const file = { content: "level = 1\n" };

test("a file reloads what can reload, else it restarts; the preview shows its content", async () => {
  const service = new Service("tuned", {
    exec,
    reloadSignal: "SIGHUP",
    configFiles: {
      "/etc/tuned/app.toml": file,
      "/etc/tuned/once.toml": { ...file, onChange: "restart", mode: "0600" },
      "/etc/tuned/watched.toml": { ...file, onChange: "none" },
    },
  });
  const { files, units } = await settledValue(service.definition);
  assert.deepEqual(
    files.map(({ path, mode, secret }) => [path, mode, secret]),
    [
      ["/etc/tuned/app.toml", "0644", false],
      ["/etc/tuned/once.toml", "0600", false],
      ["/etc/tuned/watched.toml", "0644", false],
    ],
  );
  assert.deepEqual(units[0]?.reloadOnFiles, ["/etc/tuned/app.toml"]);
  assert.deepEqual(units[0]?.restartOnFiles, ["/etc/tuned/once.toml"]);
  const { text } = inputsOf(Unit.__pulumiType, "tuned.service") as { text: string };
  assert.match(text, /^ExecReload=\/bin\/sh -c "kill -s HUP \\"\$\$MAINPID\\""$/m);
  assert.deepEqual(inputsOf(ConfigFile.__pulumiType, "tuned:/etc/tuned/app.toml"), {
    path: "/etc/tuned/app.toml",
    mode: "0644",
    content: "level = 1\n",
  });
  const stiff = new Service("stiff", { exec, configFiles: { "/etc/stiff/app.toml": file } });
  assert.deepEqual((await settledValue(stiff.definition)).units[0]?.restartOnFiles, ["/etc/stiff/app.toml"]);
});

test("a command to reload is resolved as that of the program is", async () => {
  const service = new PythonService("asked", {
    directory: "/srv/a",
    exec: ["python", "a.py"],
    reload: ["python", "r.py"],
  });
  await settledValue(service.definition);
  const { text } = inputsOf(Unit.__pulumiType, "asked.service") as { text: string };
  assert.match(text, /^ExecReload=\/usr\/bin\/python3 r\.py$/m);
});

test("a source is read as it is, text or not", () => {
  const folder = mkdtempSync(join(tmpdir(), "config-files-"));
  try {
    writeFileSync(join(folder, "text"), "h\u00e9\n");
    writeFileSync(join(folder, "bytes"), Buffer.from([0, 255]));
    const found = configFiles({
      "/etc/a": { source: join(folder, "text") },
      "/etc/b": { source: join(folder, "bytes") },
    });
    assert.deepEqual(
      found.map(({ content, encoding }) => [content, encoding]),
      [
        ["h\u00e9\n", undefined],
        ["AP8=", "base64"],
      ],
    );
    assert.throws(() => configFiles({ "/etc/a": { source: join(folder, "gone") } }), {
      message: /^configFiles\["\/etc\/a"\]\.source: ".*gone" cannot be read \(ENOENT\)$/,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

for (const [what, args, message] of [
  [
    "a relative path",
    { configFiles: { "etc/a": file } },
    /^wrong: configFiles\["etc\/a"\]: "etc\/a" is no path of a file/,
  ],
  [
    "a path that climbs",
    { configFiles: { "/etc/../a": file } },
    /^wrong: configFiles\["\/etc\/\.\.\/a"\]: holds \. or \.\./,
  ],
  ["no content", { configFiles: { "/etc/a": {} } }, /^wrong: configFiles\["\/etc\/a"\]: needs exactly one of/],
  ["two contents", { configFiles: { "/etc/a": { ...file, source: "a" } } }, /needs exactly one of/],
  [
    "a reload that cannot be",
    { configFiles: { "/etc/a": { ...file, onChange: "reload" } } },
    /^wrong: configFiles\["\/etc\/a"\]\.onChange: is reload, and the service cannot; give `reload` or `reloadSignal`$/,
  ],
  [
    "two ways to reload",
    { reload: exec, reloadSignal: "SIGHUP" },
    /^wrong: reloadSignal: is given together with reload/,
  ],
  [
    "a directive besides",
    { reload: exec, service: { ExecReload: ["/bin/a"] } },
    /^wrong: service\.ExecReload: is given together/,
  ],
  ["a signal that ends it", { reloadSignal: "SIGKILL" }, /^wrong: reloadSignal: "SIGKILL" is no signal for that/],
] satisfies [string, Partial<ServiceArgs>, RegExp][]) {
  test(`${what} is refused`, () => {
    assert.throws(() => new Service("wrong", { exec, ...args }), { message });
  });
}
