import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { load } from "js-yaml";
import { z } from "zod";
import type { DriftReport } from "../../cli/drift.ts";
import type { ReviewReport } from "../../cli/review/review-report.ts";
import { bootedFleet, type Fleet } from "./fleet.ts";
import { type HostLog, logSince, mark } from "./host-log.ts";
import { listing, listingChanges } from "./listing.ts";
import { connectionOf } from "./stack.ts";

/** What `pulumi-systemd drift` finds on real hosts of each systemd, and what the next update makes of it. */
let fleet: Fleet;
const repository = join(import.meta.dirname, "../..");

const config = {
  services: {
    api: { exec: ["/bin/sleep", "infinity"], secretEnvironment: { TOKEN: "" } },
    worker: { exec: ["/bin/sleep", "infinity"] },
  },
  timers: { nightly: { onCalendar: "*-*-* 03:00:00", service: { exec: ["/bin/true"] } } },
};
const secrets = { "services.api.secretEnvironment.TOKEN": "hush-hush-token" };

const stackFile = z.looseObject({
  config: z.looseObject({
    "pulumi-systemd:services": z.looseObject({ worker: z.looseObject({ description: z.string().optional() }) }),
  }),
});

before(async () => {
  fleet = await bootedFleet();
  await fleet.deploy(config, secrets);
});
after(() => fleet?.down());

const drift = (...args: readonly string[]) => ran("drift", ...args);

/** A command on the fleet's stack. */
async function ran(name: string, ...args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const configFile = join(fleet.stack.folder, "Pulumi.dev.yaml");
  const options = ["--stack", "dev", "--cwd", repository, "--config-file", configFile];
  const child = spawn(process.execPath, [join(repository, "cli/main.ts"), name, ...options, ...args], {
    env: fleet.stack.env,
    timeout: 120_000,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
    });
  }
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  assert.ok(!output.includes("hush-hush"), output);
  return { code, output };
}

async function report(...args: readonly string[]): Promise<DriftReport> {
  return JSON.parse((await drift("--json", ...args)).output);
}

test("drift: nothing differs after an update: one login to each host, nothing written, exit status 0", async () => {
  const marks = await Promise.all(fleet.hosts.map(mark));
  const files = await Promise.all(fleet.hosts.map((host) => listing(host)));
  const { code, output } = await drift();
  assert.equal(code, 0, output);
  for (const [index, host] of fleet.hosts.entries()) {
    assert.match(output, new RegExp(`^${host.release}  as applied  \\(generation 1, systemd \\d+\\)$`, "m"));
    const { logins, daemonReloads } = await logSince(host, marks[index]!);
    assert.deepEqual([logins, daemonReloads], [1, 0]);
    assert.deepEqual(listingChanges(files[index]!, await listing(host)), []);
  }
});

const byHand = `set -e
  echo '# by hand' >> /etc/systemd/system/api.service
  chmod 0644 /etc/pulumi-systemd/api.env
  mkdir -p /etc/systemd/system/worker.service.d
  printf '[Service]\\nNice=5\\n' > /etc/systemd/system/worker.service.d/override.conf
  systemctl stop worker.service
  systemctl disable --quiet nightly.timer
  ln -sf /dev/null /etc/systemd/system/nightly.service
  systemctl daemon-reload
  echo >> /etc/systemd/system/nightly.timer`;

/** Kind and what it is about, and whether the next update repairs it. */
const expected = [
  "daemon-reload nightly.timer repaired",
  "drop-in /etc/systemd/system/worker.service.d/override.conf told",
  "enablement nightly.timer repaired",
  "file-changed /etc/systemd/system/api.service repaired",
  "file-changed /etc/systemd/system/nightly.timer repaired",
  "file-mode /etc/pulumi-systemd/api.env repaired",
  "masked /etc/systemd/system/nightly.service repaired",
  "stopped worker.service told",
];

test("drift: what people changed is told, each with its repair; exit status 1", async () => {
  await Promise.all(fleet.hosts.map((host) => host.output(byHand)));
  const { hosts } = await report();
  assert.deepEqual(
    hosts.map(({ host, report: found }) => [
      host,
      found?.findings
        .map(({ kind, unit, path, repaired }) => `${kind} ${path || unit} ${repaired ? "repaired" : "told"}`)
        .sort(),
    ]),
    ["bookworm", "bullseye", "trixie"].map((host) => [host, expected]),
  );
  const { code, output } = await drift();
  assert.equal(code, 1, output);
  assert.match(output, /^ {2}stopped +worker\.service +inactive \(dead\); expected: running +`systemctl start/m);
});

/** The stack with hosts that are looked at, or asked, at every update. */
async function verifying(verify: "drift" | "always"): Promise<void> {
  const hosts = fleet.hosts.map((host) => [host.release, { connection: connectionOf(host), verify }]);
  await fleet.stack.configure({ ...config, hosts: Object.fromEntries(hosts) }, secrets);
}

/** What each host's log got while something was done. */
async function logsOf(work: () => Promise<void>): Promise<HostLog[]> {
  const marks = await Promise.all(fleet.hosts.map(mark));
  await work();
  return Promise.all(fleet.hosts.map((host, index) => logSince(host, marks[index]!)));
}

test("drift: a preview of hosts that are looked at plans the repair and says why; it changes nothing", async () => {
  await verifying("drift");
  const logs = await logsOf(async () => {
    const { code, output } = await fleet.stack.preview("--diff");
    assert.equal(code, 0, output);
    assert.equal(output.match(/~ command:remote:Command: \(update\)/g)?.length, fleet.hosts.length, output);
    assert.match(output, /repairs daemon-reload nightly\.timer, enablement nightly\.timer, file-changed/);
    assert.match(output, /bookworm: drift \(drop-in\): worker\.service .*override\.conf: .* To repair: remove it/);
    assert.match(
      output,
      /bookworm: drift \(file-mode\): .*: mode 0644, .*; expected: mode 0600, .* Repaired by this update/,
    );
  });
  assert.deepEqual(
    logs.map(({ logins, daemonReloads }) => [logins, daemonReloads]),
    fleet.hosts.map(() => [1, 0]),
  );
});

test("drift: an update repairs it, and tells what is a person's; the next one finds nothing to do", async () => {
  const repaired = await fleet.stack.up();
  assert.equal(repaired.code, 0, repaired.output);
  const { hosts } = await report();
  assert.deepEqual(
    hosts.map(({ report: found }) => found?.findings.map(({ kind }) => kind).sort()),
    fleet.hosts.map(() => ["drop-in", "stopped"]),
  );
  const logs = await logsOf(async () => {
    const { code, output } = await fleet.stack.up();
    assert.equal(code, 0, output);
    assert.doesNotMatch(output, /command:remote:Command .* updat/);
  });
  assert.deepEqual(
    logs.map(({ logins }) => logins),
    fleet.hosts.map(() => 1),
  );
});

test("drift: with `always` every update runs the transaction, which finds nothing to change", async () => {
  await verifying("always");
  const logs = await logsOf(async () => {
    const { code, output } = await fleet.stack.up();
    assert.equal(code, 0, output);
    assert.equal(
      output.match(/command:remote:Command \S+ updated .*\[diff: ~create\]/g)?.length,
      fleet.hosts.length,
      output,
    );
  });
  assert.deepEqual(
    logs.map(({ logins, daemonReloads }) => [logins, daemonReloads]),
    fleet.hosts.map(() => [1, 0]),
  );
});

test("drift: what was not deployed is told apart; a host that cannot be asked hides no other; exit status 2", async () => {
  const [gone, ...others] = fleet.hosts;
  assert.ok(gone !== undefined);
  const file = join(fleet.stack.folder, "Pulumi.dev.yaml");
  const before = readFileSync(file, "utf8");
  const rendered = join(fleet.stack.folder, "rendered");
  assert.equal((await ran("render", "--out", rendered)).code, 0);
  const changed = stackFile.parse(load(before));
  changed.config["pulumi-systemd:services"].worker.description = "Works";
  writeFileSync(file, JSON.stringify(changed));
  await gone.cutLink();
  try {
    const begin = Date.now();
    const { hosts } = await report();
    assert.ok(Date.now() - begin < 40_000);
    for (const { host, problem, report: found } of hosts) {
      if (host === gone.release)
        assert.match(problem ?? "", /^\S+ \(deploy@\S+\): (did not|there is no route|closed the connection)/);
      else
        assert.deepEqual(
          found?.undeployed.map(({ unit, expected: now }) => [unit, now]),
          [["worker.service", "changed in the program, without a restart"]],
        );
    }
    assert.equal(hosts.length, others.length + 1);
    // A review tells the change, and apart from it how the hosts differ, after one login to each.
    const marks = await Promise.all(others.map(mark));
    const { code, output } = await ran("review", "--base", rendered, "--drift", "--json");
    assert.equal(code, 0, output);
    const reviewed: ReviewReport = JSON.parse(output);
    assert.deepEqual(
      reviewed.hosts.map((change) => [change.hosts.length, change.units.map(({ unit, action }) => [unit, action])]),
      [[fleet.hosts.length, [["worker.service", "reload-manager"]]]],
    );
    assert.deepEqual(
      reviewed.drift?.map(({ host, problem, report: found }) => [
        host,
        problem !== undefined,
        found?.findings.map(({ kind }) => kind).sort(),
        found?.undeployed,
      ]),
      ["bookworm", "bullseye", "trixie"].map((host) =>
        host === gone.release ? [host, true, undefined, undefined] : [host, false, ["drop-in", "stopped"], []],
      ),
    );
    const logs = await Promise.all(others.map((host, index) => logSince(host, marks[index]!)));
    assert.deepEqual(
      logs.map(({ logins, daemonReloads }) => [logins, daemonReloads]),
      others.map(() => [1, 0]),
    );
    assert.equal((await drift("--host", gone.release)).code, 2);
    assert.equal((await drift("--host", others[0]!.release)).code, 1);
  } finally {
    await gone.restoreLink();
    writeFileSync(file, before);
  }
});
