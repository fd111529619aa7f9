import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { bundleSchema } from "../../activation/bundle.ts";
import { type PlanCause, plan } from "../../activation/plan.ts";
import { bundlePair, followings } from "./bundle-pairs.ts";
import { hostPlans, type PlanQuestion, plannedActions } from "./host-plans.ts";
import { caseBundles, planCases } from "./plan-cases.ts";
import { testBundle, testUnit } from "./test-bundle.ts";

const trials = Number(process.env.TRIALS ?? 400);

const hosts = hostPlans(planCases.map((row) => ({ ...caseBundles(row), onDemand: "running" })));

for (const [index, row] of planCases.entries()) {
  test(`${row.changes}: ${[...new Set(Object.values(row.expect))].join(", ")}`, () => {
    const { old, next } = caseBundles(row);
    bundleSchema.parse(next);
    const made = plan(old, next);
    const told = (key: "action" | "enablement" | "ifIdle", usual: string | null) =>
      Object.fromEntries(made.units.flatMap((unit) => (unit[key] === usual ? [] : [[unit.unit, unit[key]]])));
    assert.deepEqual(told("action", null), row.expect);
    assert.deepEqual(told("enablement", "none"), row.enablement ?? {});
    assert.deepEqual(told("ifIdle", null), row.ifIdle ?? {});
    assert.deepEqual(
      made.gaps.map(({ address }) => address),
      row.gaps ?? [],
    );
    for (const [name, causes] of Object.entries(row.causes ?? {})) {
      assert.deepEqual(made.units.find(({ unit }) => unit === name)?.causes.map(inShort), causes);
    }
    assert.deepEqual(hosts[index], plannedActions(made, "running"), "the host program's plan is the first");
  });
}

test(`the host program plans the same as TypeScript for ${trials} random pairs of bundles`, () => {
  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
  const pairs = fc.sample(bundlePair(followings), { numRuns: trials, seed });
  const questions = pairs.flatMap((pair): PlanQuestion[] => [
    { ...pair, onDemand: "idle" },
    { ...pair, onDemand: "running" },
  ]);
  const answers = hostPlans(questions);
  for (const [index, { old, next, onDemand }] of questions.entries()) {
    const made = plannedActions(plan(old, next), onDemand);
    assert.deepEqual(
      answers[index],
      made,
      `seed ${seed}, pair ${index >> 1}, on-demand units ${onDemand} (host program first)\n${texts(old)}\n=====>\n${texts(next)}`,
    );
  }
});

test("the random pairs have every kind of unit and of directive", () => {
  const texts = fc
    .sample(bundlePair(followings), { numRuns: 400, seed: 1 })
    .flatMap(({ next }) => next.units.map(({ name, content }) => ({ name, content })));
  const kinds = new Set(texts.map(({ name }) => name.replace(/^pair(-[a-z])?\d?/, "")));
  assert.deepEqual([...kinds].sort(), [".path", ".service", ".slice", ".socket", ".target", ".timer", "@.service"]);
  const keys = new Set(texts.flatMap(({ content }) => [...content.matchAll(/^([\w-]+)=/gm)].map(([, key]) => key)));
  const wanted = [
    ...["After", "Backlog", "CPUWeight", "Description", "ExecReload", "ListenStream", "MaxConnections", "MemoryMax"],
    ...["Nice", "OnBootSec", "OnCalendar", "PathExists", "RemainAfterExit", "RestartSec", "Sockets", "TasksMax"],
    ...["WantedBy", "Wants", "X-Note", "X-Owner", "X-Pulumi-Reload-Trigger", "X-Pulumi-Restart-Trigger"],
    ...followings,
  ];
  assert.deepEqual(
    wanted.filter((key) => !keys.has(key)),
    [],
  );
});

function inShort(cause: PlanCause): string {
  if (cause.kind === "directive") return `[${cause.section}] ${cause.key}`;
  return cause.kind === "file" ? cause.path : cause.kind;
}

function texts(bundle: PlanQuestion["old"]): string {
  return (bundle?.units ?? [])
    .map((unit) => `# ${unit.name} ${unit.activation} ${unit.onChange} ${unit.restartOn.files}\n${unit.content}`)
    .join("\n");
}

test("a plan has the steps in the order in which the host program takes them", () => {
  const row = planCases.find(({ changes }) => changes.startsWith("another service behind an open socket"))!;
  const { old, next } = caseBundles(row);
  assert.deepEqual(
    plan(old, next).steps.map(({ step, of }) => `${step} ${of.join(" ")}`.trim()),
    [
      "write /etc/systemd/system/api.socket /etc/systemd/system/b.service",
      "daemon-reload",
      "hand-over api.service",
      "daemon-reload",
      "start b.service",
      "watch b.service",
    ],
  );
});

test("a first deployment starts all, and a destroy stops all", () => {
  const { old } = caseBundles(planCases.find(({ changes }) => changes === "a socket")!);
  const actions = (made: ReturnType<typeof plan>) => made.units.map(({ unit, action }) => `${action} ${unit}`);
  assert.deepEqual(actions(plan(undefined, old)), ["start api.service", "start api.socket"]);
  assert.deepEqual(actions(plan(old, { ...old, units: [] })), ["stop api.service", "stop api.socket"]);
});

test("a job's new timeout counts for a run at work, and the plan says so", () => {
  const bundle = (timeout: string) =>
    testBundle([
      testUnit("a.service", `[Service]\nType=oneshot\nTimeoutStartSec=${timeout}\nExecStart=/bin/true\n`, {
        activation: "on-demand",
      }),
    ]);
  const [unit] = plan(bundle("1d"), bundle("1h")).units;
  assert.equal(unit?.action, "reload-manager");
  assert.match(unit?.notes.join() ?? "", /longer than its new timeout is ended by the daemon-reload/);
});

test("another release restarts what runs it, and the receipt and the plan agree on that", () => {
  const bundle = (id: string) => {
    const release = { name: "api", sha256: id.repeat(64), archive: "/nowhere.tar", id, keep: 1 };
    const units = [
      testUnit("api.service", "[Service]\nExecStart=/opt/api/current/run\n", { restartOnReleases: ["api"] }),
      testUnit("other.service", "[Service]\nExecStart=/bin/true\n"),
    ];
    return testBundle(units, [], undefined, [release]);
  };
  const [old, next] = [bundle("a"), bundle("b")];
  const made = plan(old, next);
  assert.deepEqual(made.untouched, ["other.service"]);
  assert.deepEqual(made.units[0]?.causes, [{ kind: "release", name: "api", old: "a".repeat(64), new: "b".repeat(64) }]);
  assert.deepEqual(hostPlans([{ old, next, onDemand: "running" }]), [plannedActions(made, "running")]);
});

test("hooks run for another release or another command, preStart once for each release; the host program plans the same", () => {
  const bundle = (id: string, words: readonly string[]) => {
    const release = { name: "api", sha256: id.repeat(64), archive: "/nowhere.tar", id: id.repeat(16), keep: 1 };
    const units = [
      testUnit("api.service", "[Service]\nExecStart=/opt/api/current/run\n", { restartOnReleases: ["api"] }),
    ];
    const hooks = words.flatMap((word) =>
      ["post-start", "pre-start", "check"].map((kind) => {
        return {
          release: "api",
          unit: "api.service",
          kind,
          exec: [`/opt/api/releases/${release.id}/x`, word],
          seconds: 60,
        };
      }),
    );
    return testBundle(units, [], undefined, [release], hooks);
  };
  const cases = [
    [bundle("a", ["one"]), bundle("a", ["one"]), []],
    [bundle("a", ["one"]), bundle("b", ["one"]), ["check: release", "pre-start: release", "post-start: release"]],
    [bundle("a", ["one"]), bundle("a", ["two"]), ["check: command", "pre-start: command", "post-start: command"]],
    [bundle("a", []), bundle("a", ["one"]), ["check: new", "pre-start: new", "post-start: new"]],
    [bundle("a", ["one"]), bundle("a", []), []],
    [undefined, bundle("a", ["one"]), ["check: release", "pre-start: release", "post-start: release"]],
  ] as const;
  const moved = bundle("a", ["one"]);
  const link = { ...moved, releases: moved.releases.map((release) => ({ ...release, link: "/opt/api/now" })) };
  const all = [...cases, [moved, link, ["check: release", "post-start: release"]] as const];
  const plans = all.map(([old, next]) => plan(old, next));
  assert.deepEqual(
    plans.map(({ hooks }) => hooks.map(({ kind, why }) => `${kind}: ${why}`)),
    all.map(([, , expected]) => expected),
  );
  assert.deepEqual(
    hostPlans(all.map(([old, next]) => ({ old, next, onDemand: "running" }))),
    plans.map((made) => plannedActions(made, "running")),
  );
  assert.deepEqual(
    plans[2]?.steps.map(({ step }) => step),
    ["check", "pre-start", "post-start"],
  );
  assert.equal(plans[2]?.hooks[1]?.command, `/opt/api/releases/${"a".repeat(16)}/x two`);
});

test("connections of a socket with Accept=yes are never restarted, and end with their template", () => {
  const sides = (socket: string, service: string, api = "") => {
    const units = [
      testUnit("api.service", `[Service]\nExecStart=/usr/bin/api\n${api}`),
      testUnit("echo.socket", `[Socket]\nListenStream=8000\nAccept=yes\n${socket}`),
      testUnit("echo@.service", `[Unit]\nPartOf=api.service\n[Service]\nExecStart=/usr/bin/echo\n${service}`, {
        activation: "on-demand",
        onChange: service === "Nice=2\n" ? "restart" : "auto",
      }),
    ];
    return testBundle(units);
  };
  const old = sides("", "");
  const others = [
    sides("Backlog=9\n", ""),
    sides("", "Nice=2\n"),
    sides("", "Nice=1\n", "Nice=1\n"),
    { ...old, units: old.units.slice(0, 1) },
    { ...old, units: old.units.slice(0, 2) },
  ];
  const questions = others.flatMap((next): PlanQuestion[] => [
    { old, next, onDemand: "idle" },
    { old, next, onDemand: "running" },
  ]);
  const made = questions.map(({ onDemand, next }) => plannedActions(plan(old, next), onDemand));
  assert.deepEqual(hostPlans(questions), made);
  assert.deepEqual(
    made.map(({ units }) => units["echo@.service"]?.action),
    ["none", "none", ...Array(4).fill("reload-manager"), "none", "stop", "none", "stop"],
  );
});

test("a drop-in that is a file beside the units is read by systemd when it comes, changes and goes", () => {
  const bundle = (folder: string, content?: string) => {
    const path = `${folder}/api.service.d/x.conf`;
    const files = content === undefined ? [] : [{ path, mode: "0644", content, secret: false }];
    return testBundle([testUnit("api.service", "[Service]\nExecStart=/usr/bin/api\n")], files);
  };
  for (const [folder, reloads] of [["/etc/systemd/system", 1] as const, ["/etc/api", 0] as const]) {
    const [none, one, two] = [bundle(folder), bundle(folder, "[Service]\nNice=1\n"), bundle(folder, "[Service]\n")];
    const questions = [
      { old: none, next: one, onDemand: "running" as const },
      { old: one, next: two, onDemand: "running" as const },
      { old: two, next: none, onDemand: "running" as const },
    ];
    const made = questions.map(({ old, next }) => plannedActions(plan(old, next), "running"));
    assert.deepEqual(
      made.map(({ daemonReloads }) => daemonReloads),
      [reloads, reloads, reloads],
    );
    assert.deepEqual(hostPlans(questions), made);
  }
});

test("docs/transaction.md has the table", () => {
  const text = readFileSync(new URL("../../docs/transaction.md", import.meta.url), "utf8");
  for (const { changes, why } of planCases) {
    assert.ok(
      text.split("\n").some((line) => line.startsWith(`| ${changes} | `) && line.endsWith(` | ${why} |`)),
      changes,
    );
  }
});
