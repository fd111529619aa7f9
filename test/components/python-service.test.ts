import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { validArguments } from "../../components/argument-error.ts";
import type { DefinedHook } from "../../components/definition.ts";
import { hookUnitText } from "../../components/hook-unit.ts";
import { pythonServicePlan } from "../../components/python-service.ts";
import { packageIndexSchema } from "../../components/release-args.ts";
import { pythonServiceSchema } from "../../components/service-args.ts";

let source: string;
let folder: string;
let cacheBefore: string | undefined;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "python-service-"));
  cacheBefore = process.env.XDG_CACHE_HOME;
  process.env.XDG_CACHE_HOME = join(folder, "cache");
  source = join(folder, "app");
  mkdirSync(source);
  writeFileSync(join(source, "main.py"), "print('hello')\n");
  writeFileSync(join(source, "requirements.txt"), "flask==3.0.0\n");
  writeFileSync(join(source, "uv.lock"), "version = 1\n");
  writeFileSync(join(source, "pyproject.toml"), "[project]\n");
});
after(() => {
  if (cacheBefore === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = cacheBefore;
  rmSync(folder, { recursive: true });
});

function planned(args: object) {
  return pythonServicePlan(
    "api",
    validArguments(pythonServiceSchema, { source, exec: ["python", "main.py"], ...args }),
  );
}

test("code without a lock runs by the host's Python in the release's own directory", () => {
  const { args, releases } = planned({});
  const code = `/opt/api/releases/${releases[0]?.id}`;
  assert.deepEqual([args.exec, args.workingDirectory], [["/usr/bin/python3", "main.py"], code]);
  assert.deepEqual([releases[0]?.environment, releases[0]?.keep], [undefined, 3]);
});

test("with a lock, plain names are programs of the environment, in exec as in hooks", () => {
  const { args, releases, hooks } = planned({
    requirements: "requirements.txt",
    exec: ["gunicorn", "main"],
    preStart: ["python3", "migrate.py"],
    check: ["/usr/bin/test", "-e", "main.py"],
    hookSec: "90s",
  });
  const code = `/opt/api/releases/${releases[0]?.id}`;
  assert.deepEqual(args.exec, [`${code}/.venv/bin/gunicorn`, "main"]);
  assert.equal(args.environment?.PATH, `${code}/.venv/bin:/usr/local/bin:/usr/bin:/bin`);
  assert.deepEqual(
    hooks.map(({ kind, exec, seconds }) => [kind, exec, seconds]),
    [
      ["check", ["/usr/bin/test", "-e", "main.py"], 90],
      ["pre-start", [`${code}/.venv/bin/python`, "migrate.py"], 90],
    ],
  );
});

test("the release's name tells code and lock apart; what installs it does not count", () => {
  const id = (args: object) => planned({ requirements: "requirements.txt", ...args }).releases[0]?.id;
  const first = id({});
  assert.equal(id({ installer: "pip", buildSec: "1h", preStart: ["python", "x.py"] }), first);
  const others = [id({ python: "3.11" }), id({ requirements: "uv.lock" }), planned({}).releases[0]?.id];
  assert.equal(new Set([first, ...others]).size, 4);
});

const mistakes: readonly (readonly [args: object, message: RegExp])[] = [
  [
    { source: undefined, directory: "/srv/x", requirements: "r.txt" },
    /^requirements: belongs to a release; it needs `source`/,
  ],
  [{ source: undefined, directory: "/srv/x", preStart: ["x"] }, /^preStart: belongs to a release/],
  [{ requirements: "gone.txt" }, /^requirements: "gone\.txt" is neither in ".*app" nor in the working directory/],
  [
    { requirements: "requirements.txt", interpreter: "/usr/bin/python3" },
    /^interpreter: is given together with requirements/,
  ],
  [{ requirements: "uv.lock", installer: "pip" }, /^installer: is pip, and only uv reads a uv\.lock/],
  [{ wheelhouse: "/x" }, /^wheelhouse: is given without requirements/],
  [{ python: "3.11" }, /^python: is given without requirements/],
  [
    { requirements: "requirements.txt", wheelhouse: "/gone" },
    /^requirements: "\/gone" is no directory; give one with the wheels/,
  ],
  [
    { requirements: "requirements.txt", python: "python3" },
    /^python: "python3" is no interpreter; write a version such as "3\.12"/,
  ],
  [{ hookSec: "infinity" }, /^hookSec: must be a time span of 1s or more that ends/],
  [{ buildSec: "0" }, /^buildSec: must be a time span of 1s or more that ends/],
  [{ check: [] }, /^check: is empty/],
  [{ keepReleases: -1 }, /^keepReleases: /],
];
for (const [args, message] of mistakes) {
  test(`${JSON.stringify(args)} is refused`, () => assert.throws(() => planned(args), { message }));
}

test("mistakes in a package index show no value", () => {
  for (const index of [{ password: "hunter2" }, { url: 3, password: "hunter2" }, { trustedHosts: ["hunter2/"] }]) {
    const parsed = packageIndexSchema.safeParse(index);
    assert.equal(parsed.success, false);
    assert.ok(!JSON.stringify(parsed.error?.issues).includes("hunter2"));
  }
});

const hook: DefinedHook = { release: "api", unit: "api.service", kind: "check", exec: ["/bin/true"], seconds: 30 };

test("a hook has the service's account, secrets, limits and sandbox, and nothing that would disturb it", () => {
  const text = `[Unit]
Description=api
Requires=redis.service
[Service]
Type=notify
User=api
EnvironmentFile=/etc/pulumi-systemd/api.env
ExecStart=/usr/bin/api
ExecReload=/bin/kill -HUP $MAINPID
WatchdogSec=30
Restart=always
RuntimeDirectory=api
StateDirectory=api
ProtectSystem=strict
MemoryMax=512M
Sockets=api.socket
[Install]
WantedBy=multi-user.target
`;
  assert.deepEqual(hookUnitText(hook, text).split("\n").slice(2), [
    "[Unit]",
    "Description=check of api.service",
    "",
    "[Service]",
    "Type=oneshot",
    "User=api",
    "EnvironmentFile=/etc/pulumi-systemd/api.env",
    "StateDirectory=api",
    "ProtectSystem=strict",
    "MemoryMax=512M",
    "ExecStart=/bin/true",
    "TimeoutStartSec=30",
    "TimeoutStopSec=10",
    "",
  ]);
});

test("a hook of a dynamic user takes the service's, so that their directories stay one's", () => {
  const text = "[Service]\nDynamicUser=yes\nStateDirectory=api\nExecStart=/usr/bin/api\n";
  assert.match(hookUnitText(hook, text), /^User=api$/m);
  assert.throws(
    () => hookUnitText({ ...hook, unit: "Api.v1.service" }, text),
    /"Api\.v1" cannot name a dynamic one; give it a `user`/,
  );
});
