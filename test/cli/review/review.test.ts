import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { render } from "../../../cli/render/render.ts";
import { review } from "../../../cli/review/review.ts";
import type { ReviewReport } from "../../../cli/review/review-report.ts";
import { UsageError } from "../../../cli/unit-source.ts";
import { printedJson, recordingTerminal } from "../recording-terminal.ts";

// A repository with the program of this one and one stack of three hosts.
const repository = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const cwd = mkdtempSync(join(tmpdir(), "review-"));
after(() => rmSync(cwd, { recursive: true }));
const hostKey = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}`;
const options = { cwd, stack: "prod", base: "HEAD", timezone: "UTC", now: new Date("2026-06-01T12:00:00Z") };

const api = {
  exec: ["/usr/bin/api"],
  type: "notify",
  watchdogSec: "30s",
  socket: "api.socket",
  secretEnvironment: { KEY: { secure: "v1:YWJj:ZGVm" } },
};
const stack = {
  sockets: { api: { listenStream: "127.0.0.1:8000" } },
  services: { api, worker: { exec: ["/usr/bin/worker"] } },
  timers: { nightly: { onCalendar: "03:00", service: { exec: ["/usr/bin/clean"] } } },
};

function write(config: object, hosts = ["web1", "web2", "web3"]): void {
  const connections = hosts.map((name) => [name, { connection: { host: `${name}.example.org`, hostKey } }]);
  const all = { hosts: Object.fromEntries(connections), ...config };
  const entries = Object.entries(all).map(([key, value]) => [`pulumi-systemd:${key}`, value]);
  writeFileSync(join(cwd, "Pulumi.prod.yaml"), JSON.stringify({ config: Object.fromEntries(entries) }));
}

function git(...args: string[]): void {
  const identity = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org", "-c", "commit.gpgsign=false"];
  execFileSync("git", ["-C", cwd, ...identity, ...args], { stdio: "pipe" });
}

async function reported(changes: Partial<typeof options> & { configFile?: string } = {}): Promise<ReviewReport> {
  const terminal = recordingTerminal();
  assert.equal(await review({ ...options, ...changes, json: true }, terminal), 0);
  return printedJson(terminal) as ReviewReport;
}

async function printed(): Promise<string> {
  const terminal = recordingTerminal();
  await review(options, terminal);
  return terminal.printed.join("\n");
}

before(() => {
  const sources = [
    "index.ts",
    "main.js",
    "build",
    "package.json",
    "Pulumi.yaml",
    "components",
    "program",
    "systemd",
    "activation",
    "policies",
    "sandbox",
    "setup",
  ];
  for (const name of sources) cpSync(join(repository, name), join(cwd, name), { recursive: true });
  for (const name of ["node_modules", "bin"]) symlinkSync(join(repository, name), join(cwd, name));
  writeFileSync(join(cwd, ".gitignore"), "/node_modules\n/bin\n");
  write(stack);
  git("init", "--quiet");
  git("add", "--all");
  git("commit", "--quiet", "--message=first");
});

test("nothing changed: one line says so", async () => {
  const report = await reported();
  assert.deepEqual(
    report.hosts.map(({ hosts, kind }) => [hosts, kind]),
    [[["web1", "web2", "web3"], "unchanged"]],
  );
  assert.match(await printed(), /^## Stack `prod`: nothing changes on 3 hosts$/m);
});

test("each unit's diff, action and reason, once for hosts that change alike; what stays is counted", async () => {
  const loosened = { ...api, watchdogSec: "60s", service: { ProtectHome: false } };
  write({ ...stack, services: { ...stack.services, api: loosened } });
  const report = await reported();
  const [change] = report.hosts;
  assert.deepEqual([report.hosts.length, change?.hosts, change?.kind], [1, ["web1", "web2", "web3"], "changed"]);
  const [unit] = change?.units ?? [];
  assert.deepEqual([change?.units.length, unit?.unit, unit?.action], [1, "api.service", "restart"]);
  assert.deepEqual(
    unit?.causes.map((cause) => (cause.kind === "directive" ? [cause.key, cause.old, cause.new, cause.needs] : [])),
    [
      ["WatchdogSec", ["30s"], ["60s"], "restart"],
      ["ProtectHome", ["yes"], ["no"], "restart"],
    ],
  );
  assert.match(unit?.diff ?? "", /^-WatchdogSec=30s\n\+WatchdogSec=60s$/m);
  assert.deepEqual(change?.plan.untouched, ["api.socket", "nightly.service", "nightly.timer", "worker.service"]);
  assert.deepEqual(change?.plan.gaps, []);
});

test("a host that changes apart from the others has a part of its own, the heaviest first", async () => {
  write({ ...stack, timers: { nightly: { ...stack.timers.nightly, onCalendar: "04:00" } } }, ["web1", "web2"]);
  const report = await reported();
  assert.deepEqual(
    report.hosts.map(({ hosts, kind }) => [hosts, kind]),
    [
      [["web3"], "removed"],
      [["web1", "web2"], "changed"],
    ],
  );
  assert.deepEqual(
    report.timers.map(({ timer, hosts, next }) => [timer, hosts, next[0]]),
    [["nightly.timer", ["web1", "web2"], "2026-06-02T04:00:00.000Z"]],
  );
});

test("what happens only while an on-demand unit is idle is told with that, and counted", async () => {
  const onDemand = { ...stack.services, helper: { exec: ["/usr/bin/helper"], onDemand: true } };
  write({ ...stack, services: onDemand });
  git("commit", "--quiet", "--all", "--message=helper");
  const worker = { exec: ["/usr/bin/worker"], onChange: "none", unit: { BindsTo: ["helper.service"] } };
  write({ ...stack, services: { ...onDemand, worker } });
  const text = await printed();
  assert.match(text.split("\n")[0] ?? "", /3 hosts change, 3 stop\+starts$/);
  const row = /\| `worker\.service` \| (.*?) \| (.*?) \|/.exec(text);
  assert.equal(row?.[1], "daemon-reload only (stop+start if an on-demand unit beside it is idle)");
  assert.match(row?.[2] ?? "", /helper\.service is not up yet when it becomes bound to it/);
  write({ ...stack, services: { ...onDemand, helper: { exec: ["/usr/bin/helper", "-v"], onDemand: true } } });
  assert.match(await printed(), /\| `helper\.service` \| restart \(daemon-reload only if it is idle\) \|/);
  git("reset", "--quiet", "--hard", "HEAD~1");
});

test("a config file that is named by its absolute path, also through a link, is taken from the base as well", async () => {
  write({ ...stack, timers: { nightly: { ...stack.timers.nightly, onCalendar: "04:00" } } });
  const link = mkdtempSync(join(tmpdir(), "review-link-"));
  after(() => rmSync(link, { recursive: true }));
  symlinkSync(cwd, join(link, "here"));
  for (const folder of [cwd, join(link, "here")]) {
    const { hosts } = await reported({ configFile: join(folder, "Pulumi.prod.yaml") });
    assert.deepEqual(
      hosts.map(({ kind, units }) => [kind, units.map(({ unit }) => unit)]),
      [["changed", ["nightly.timer"]]],
    );
  }
});

test("a hook whose command alone changed is a change, told with its command and why", async () => {
  mkdirSync(join(cwd, "app"));
  writeFileSync(join(cwd, "app", "app.py"), "");
  const withHook = (preStart: string[]) =>
    write({ pythonServices: { orders: { source: "app", exec: ["python", "app.py"], preStart } } }, ["web1"]);
  withHook(["python", "app.py", "migrate"]);
  git("add", "--all");
  git("commit", "--quiet", "--message=app");
  withHook(["python", "app.py", "migrate", "`<all>`"]);
  const { hosts } = await reported();
  const [change] = hosts;
  assert.deepEqual(
    [change?.kind, change?.units, change?.plan.hooks.map(({ kind, unit, why }) => [kind, unit, why])],
    ["changed", [], [["pre-start", "orders.service", "command"]]],
  );
  const [html, markdown] = [join(cwd, "hook.html"), join(cwd, "hook.md")];
  await review({ ...options, html, markdown }, recordingTerminal());
  const text = readFileSync(markdown, "utf8");
  assert.match(text, /^## Stack `prod`: 1 of 1 host changes, 1 hook runs$/m);
  const told = "pre-start of orders.service runs, because its command changed: ";
  assert.ok(text.includes(`- ${told}\`\` /usr/bin/python3 app.py migrate \`<all>\` \`\``), text);
  assert.ok(readFileSync(html, "utf8").includes(`${told}<code>/usr/bin/python3 app.py migrate `));
  write({}, ["web1"]);
  assert.deepEqual((await reported()).hosts[0]?.plan.hooks, []);
  git("reset", "--quiet", "--hard", "HEAD~1");
});

test("a secret that was set anew is told without a value or a digest", async () => {
  const rotated = { ...api, secretEnvironment: { KEY: { secure: "v1:eHl6:MTIz" } } };
  write({ ...stack, services: { ...stack.services, api: rotated } });
  const text = await printed();
  assert.match(text, /^- `\/etc\/pulumi-systemd\/api\.env` secret set anew$/m);
  assert.match(text, /\| `api\.service` \| restart.* \| \/etc\/pulumi-systemd\/api\.env changed \|/);
  assert.ok(!/\[secret|eHl6|MTIz/.test(text + JSON.stringify(await reported())));
});

test("a socket that closes is told before the diffs", async () => {
  write({ ...stack, sockets: { api: { listenStream: "127.0.0.1:9000" } } });
  const text = await printed();
  assert.match(text.split("\n")[0] ?? "", /3 listening sockets closed/);
  assert.ok(text.indexOf("**api.socket closes 127.0.0.1:8000**") < text.indexOf("<details>"));
});

test("a base that was rendered compares as well as a revision", async () => {
  write(stack);
  const out = join(cwd, "rendered");
  await render({ ...options, out }, recordingTerminal());
  write({ ...stack, services: { ...stack.services, worker: { exec: ["/usr/bin/worker", "--fast"] } } });
  const [byFolder, byRevision] = [await reported({ base: out }), await reported()];
  assert.deepEqual(
    byFolder.hosts.map(({ units, kind }) => [kind, units]),
    byRevision.hosts.map(({ units, kind }) => [kind, units]),
  );
  assert.deepEqual(
    byFolder.hosts[0]?.units.map(({ unit, action }) => [unit, action]),
    [["worker.service", "restart"]],
  );
  rmSync(out, { recursive: true });
});

test("the page has no script and nothing from elsewhere, and shows markup of a text as text", async () => {
  const exec = ["/usr/bin/worker", "<script>alert(1)</script>"];
  write({ ...stack, services: { ...stack.services, worker: { exec } } });
  const [html, markdown] = [join(cwd, "review.html"), join(cwd, "review.md")];
  const terminal = recordingTerminal();
  await review({ ...options, html, markdown }, terminal);
  assert.deepEqual(terminal.printed, []);
  const page = readFileSync(html, "utf8");
  assert.ok(!/<script|https?:\/\/(?!www\.w3\.org)|src=|@import/.test(page));
  assert.match(page, /&#60;script&#62;alert/);
  const text = readFileSync(markdown, "utf8");
  assert.match(text, /^## Stack `prod`: /);
  assert.match(text, /^\| `worker\.service` \| restart \| ExecStart= .* \\<script>alert\(1\)\\<\/script> \|/m);
});

const limited = { service: { MemoryMax: "64M" } };
const gated = () => {
  const folder = join(cwd, "gate");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "prod.json");
  const policies = {
    all: "disabled",
    "resource-limits": "mandatory",
    "sandbox-protect-system": "mandatory",
    "no-description": "advisory",
  };
  writeFileSync(file, JSON.stringify(policies));
  return { folder, file, policies };
};
/** A stack whose units are all limited, with other arguments for its worker. */
const limitedStack = (worker: object) => ({
  services: { worker: { exec: ["/usr/bin/worker"], ...limited, ...worker } },
});

test("what the policies refuse: new, as before, solved and waived, per unit with its hosts; --fail-on ends with 1", async () => {
  const policyPackConfig = gated().file;
  write(limitedStack({}));
  git("commit", "--quiet", "--all", "--message=limited");
  const gate = async (worker: object, more: object = {}) => {
    write(limitedStack(worker));
    const terminal = recordingTerminal();
    const status = await review({ ...options, policyPackConfig, failOn: "mandatory", ...more, json: true }, terminal);
    return { status, policies: (printedJson(terminal) as ReviewReport).policies };
  };
  assert.deepEqual(await gate({}), {
    status: 0,
    policies: { config: policyPackConfig, verdicts: [], solved: [] },
  });

  const open = await gate({ service: { ...limited.service, ProtectSystem: false } });
  assert.deepEqual(
    open.policies.verdicts.map(({ hosts, on, policy, level, since, passes }) => [
      hosts,
      on,
      policy,
      level,
      since,
      passes,
    ]),
    [[["web1", "web2", "web3"], "worker.service", "sandbox-protect-system", "mandatory", "new", null]],
  );
  assert.match(open.policies.verdicts[0]?.message ?? "", /^\[Service\] ProtectSystem=no, wanted/);
  assert.equal(open.status, 1);

  const waive = [{ policy: "sandbox-protect-system", reason: "writes to /usr until ticket 12", until: "2999-01-01" }];
  const waived = await gate({ service: { ...limited.service, ProtectSystem: false }, waive });
  assert.deepEqual(
    waived.policies.verdicts.map(({ passes }) => passes?.by === "waiver" && [passes.until, passes.reason]),
    [["2999-01-01", "writes to /usr until ticket 12"]],
  );
  assert.equal(waived.status, 0);

  write(limitedStack({ service: {} }));
  git("commit", "--quiet", "--all", "--message=unlimited");
  const known = await gate({ service: {} });
  assert.deepEqual([known.status, known.policies.verdicts.map(({ since }) => since)], [1, ["known"]]);
  const solved = await gate({});
  assert.deepEqual(
    [solved.status, solved.policies.solved.map(({ on, policy }) => [on, policy])],
    [0, [["worker.service", "resource-limits"]]],
  );
  const terminal = recordingTerminal();
  await review({ ...options, policyPackConfig }, terminal);
  assert.match(terminal.printed.join("\n"), /^### Policies: 1 is solved$/m);
});

test("what the policies refuse stands before all else in the Markdown, with the policy, and in the page with its fix", async () => {
  write(limitedStack({ service: { ...limited.service, ProtectSystem: false } }));
  const html = join(cwd, "policies.html");
  const markdown = join(cwd, "policies.md");
  await review({ ...options, policyPackConfig: gated().file, html, markdown }, recordingTerminal());
  const text = readFileSync(markdown, "utf8");
  const finding = text.indexOf(
    "- **refused** **new** `worker.service` on web1, web2, web3: [Service] ProtectSystem=no",
  );
  assert.ok(finding > 0 && finding < text.indexOf("### web1"), text);
  const page = readFileSync(html, "utf8");
  assert.match(page, /<b class="heavy">refused<\/b> <b>new<\/b> <code>worker\.service<\/code>/);
  assert.match(page, /<small><code>sandbox-protect-system<\/code><\/small>/);
});

test("without a config all is advice, and --fail-on mandatory says that it cannot fail", async () => {
  const report = await reported();
  assert.equal(report.policies.config, null);
  assert.deepEqual(new Set(report.policies.verdicts.map(({ level }) => level)), new Set(["advisory"]));
  await assert.rejects(
    () => review({ ...options, failOn: "mandatory" }, recordingTerminal()),
    (error: Error) => error instanceof UsageError && /needs --policy-pack-config/.test(error.message),
  );
});

test("a baseline of exposures that changes in the same commit is shown, and each side is held to its own", async () => {
  const { folder, policies } = gated();
  const file = join(folder, "ratchet.json");
  const ratchet = { "exposure-ratchet": { enforcementLevel: "mandatory", baseline: "exposure.json" } };
  writeFileSync(file, JSON.stringify({ all: policies.all, ...ratchet }));
  const baseline = (score: number) =>
    writeFileSync(join(folder, "exposure.json"), JSON.stringify({ prod: { "worker.service": score } }));
  baseline(1.3);
  write(limitedStack({}));
  git("add", "--all");
  git("commit", "--quiet", "--message=ratchet");
  const changed = { service: { ...limited.service, PrivateDevices: false } };
  write(limitedStack(changed));
  const terminal = () => recordingTerminal();
  const gate = { ...options, policyPackConfig: file, policyPack: folder, failOn: "mandatory" as const, json: true };
  const refused = terminal();
  assert.equal(await review(gate, refused), 1);
  const { verdicts } = (printedJson(refused) as ReviewReport).policies;
  assert.deepEqual(
    verdicts.map(({ policy, since }) => [policy, since]),
    [["exposure-ratchet", "new"]],
  );
  const score = Number(/^exposure ([\d.]+)/.exec(verdicts[0]?.message ?? "")?.[1]);
  baseline(score);
  const accepted = terminal();
  assert.equal(await review(gate, accepted), 0);
  assert.deepEqual((printedJson(accepted) as ReviewReport).acceptedExposures, [
    { unit: "worker.service", before: 1.3, after: score },
  ]);
  const told = terminal();
  await review({ ...gate, json: false }, told);
  const line = `- the baseline accepts an exposure of ${score.toFixed(1)} for worker.service in place of 1.3`;
  assert.ok(told.printed.join("\n").includes(line), told.printed.join("\n"));
  write(stack);
  git("commit", "--quiet", "--all", "--message=as at first");
});

test("what cannot be compared with is one line", async () => {
  await assert.rejects(
    () => reported({ base: "no-such-branch" }),
    (error: Error) => error instanceof UsageError && /has no revision no-such-branch/.test(error.message),
  );
  mkdirSync(join(cwd, "empty"));
  await assert.rejects(() => reported({ base: join(cwd, "empty") }), /was not written by `render`/);
});

test("the commands of docs/review.md, as they stand there", () => {
  write(stack);
  const text = readFileSync(join(repository, "docs", "review.md"), "utf8");
  const commands = [...text.matchAll(/^pulumi-systemd (.*)$/gm)].map((match) => match[1] ?? "");
  assert.equal(commands.length, 9);
  for (const command of commands) {
    // Needs the stack's secrets and hosts: test/hosts/drift.test.ts.
    if (command.includes("--drift")) continue;
    const words = [join(repository, "cli", "main.ts"), ...command.split(" ")];
    const { status, stderr } = spawnSync(process.execPath, words, { cwd, encoding: "utf8" });
    // No unit of this stack has a memory limit.
    assert.equal(status, command.includes("--fail-on") ? 1 : 0, `${command}: ${stderr}`);
  }
});
