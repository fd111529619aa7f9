import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, suite, test } from "node:test";

const root = resolve(import.meta.dirname, "../..");
const pack = join(root, "policies");
const configOf = (environment: "dev" | "staging" | "prod") => join(pack, "config", `${environment}.json`);

const because = "its processes could gain privileges through setuid programs such as sudo";
const refusal = `api.service: [Service] NoNewPrivileges=no, wanted yes: ${because}`;
const unlocked = { service: { NoNewPrivileges: "no" } };
const day = (offset: number) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);

// What runs is what a user runs: the bundles.
const made = spawnSync(process.execPath, [join(root, "build/policy-pack.ts")], { encoding: "utf8", timeout: 120_000 });
assert.equal(made.status, 0, made.stderr);

suite("the policy pack in the Pulumi CLI", () => {
  let directory: string;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), "pulumi-systemd-policies-"));
    cpSync(join(import.meta.dirname, "fixtures/policies"), directory, { recursive: true });
    symlinkSync(join(root, "node_modules"), join(directory, "node_modules"));
    const program = join(directory, "index.ts");
    writeFileSync(program, readFileSync(program, "utf8").replaceAll("../../../../", `${root}/`));
    mkdirSync(join(directory, "state"));
    const { status, output } = pulumi({}, "stack", "init", "dev");
    assert.equal(status, 0, output);
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  function pulumi(env: Record<string, string>, ...args: string[]): { status: number | null; output: string } {
    const run = spawnSync("pulumi", [...args, "--non-interactive", "--color", "never"], {
      cwd: directory,
      encoding: "utf8",
      timeout: 180_000,
      env: {
        ...process.env,
        PULUMI_BACKEND_URL: `file://${join(directory, "state")}`,
        PULUMI_CONFIG_PASSPHRASE: "policies",
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_IGNORE_AMBIENT_PLUGINS: "true",
        ...env,
      },
    });
    if (run.error !== undefined) throw run.error;
    return { status: run.status, output: `${run.stdout}${run.stderr}` };
  }

  /** Runs the program with its config and the pack with a config. */
  function gated(
    fixture: Record<string, unknown>,
    policyConfig?: string,
    {
      operation = ["preview"],
      env = {},
      folder = pack,
    }: { operation?: string[]; env?: Record<string, string>; folder?: string } = {},
  ) {
    const config = Object.entries(fixture).map(([key, value]) => [`policies-fixture:${key}`, value]);
    writeFileSync(join(directory, "Pulumi.dev.yaml"), JSON.stringify({ config: Object.fromEntries(config) }));
    const file = policyConfig === undefined ? [] : ["--policy-pack-config", policyConfig];
    const run = pulumi(env, ...operation, "--policy-pack", folder, ...file);
    assert.ok(!run.output.includes("hunter2"), run.output);
    return run;
  }

  /** The config of an environment with more in it. */
  function configWith(environment: "dev" | "staging" | "prod", more: object): string {
    const file = join(directory, "policies.json");
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(configOf(environment), "utf8")), ...more }));
    return file;
  }

  /** `[LEVEL] POLICY RESOURCE: MESSAGE` of each violation that the CLI printed, sorted. */
  function violations(output: string): string[] {
    const printed = output.matchAll(/- \[(\w+)\] \[severity: \w+\] {2}(\S+) {2}\((.+)\)\n((?: {10}.*\n)+)/g);
    return [...printed]
      .map(
        ([, level, policy, resource, text = ""]) =>
          `[${level}] ${policy} ${resource}: ${text.trim().split("\n").at(-1)?.trim()}`,
      )
      .sort();
  }

  test("prod: a program that imports the library passes, its health check as root by exception", () => {
    const { status, output } = gated({}, configOf("prod"));
    assert.deepEqual(violations(output), []);
    assert.match(output, /✅ pulumi-systemd@v0\.1\.0/);
    assert.match(
      output,
      /^ {4}non-root-user excepted \(only root may restart the unit that it watches\): pulumi-systemd-health-policies-fixture-dev\.service: \[Service\] User= is not set, wanted/m,
    );
    assert.equal(status, 0, output);
  });

  test("dev: an unsafe unit passes with a warning; a waiver is shown with its days", () => {
    const waive = [{ policy: "sandbox-no-new-privileges", reason: "calls sudo until ticket 12", until: day(10) }];
    const { status, output } = gated({ api: { ...unlocked, watchdogSec: "1h", waive } }, configOf("dev"));
    assert.deepEqual(violations(output), [
      `[advisory] sandbox-no-new-privileges systemd:index:Unit: api.service: waived until ${day(10)} (10 days left, calls sudo until ticket 12): ${refusal}`,
      "[advisory] sandbox-tier systemd:index:Unit: api.service: api.service: [Service] lacks NoNewPrivileges=yes (it is no), wanted the tier basic: that is what a daemon of this environment needs",
      `[advisory] waivers systemd:index:Unit: api.service: api.service: waives sandbox-no-new-privileges until ${day(10)} (10 days left): calls sudo until ticket 12`,
      "[advisory] watchdog-required systemd:index:Unit: api.service: api.service: [Service] WatchdogSec=1h, wanted 1s to 10min: a service that hangs would be out for that long before it is restarted",
    ]);
    assert.equal(status, 0, output);
  });

  test("prod: a waiver that is over is refused, and so is what it was for; one that is too long and one for nothing too", () => {
    const waive = [
      { policy: "sandbox-no-new-privileges", reason: "calls sudo until ticket 12", until: day(-1) },
      { policy: "sandbox-exposure", reason: "until the next release", until: day(91) },
      { policy: "sandbox-exposures", reason: "until the next release", until: day(9) },
    ];
    const { status, output } = gated({ api: { ...unlocked, waive } }, configOf("prod"));
    assert.deepEqual(
      violations(output).filter((line) => !line.includes("sandbox-tier")),
      [
        `[mandatory] sandbox-no-new-privileges systemd:index:Unit: api.service: ${refusal} (its waiver ended on ${day(-1)})`,
        `[mandatory] waivers systemd:index:Unit: api.service: api.service: the waiver of sandbox-exposure holds until ${day(91)}, 91 days from now; at most 90 are allowed`,
        "[mandatory] waivers systemd:index:Unit: api.service: api.service: the waiver of sandbox-exposures is for no lint or policy of that name",
        `[mandatory] waivers systemd:index:Unit: api.service: api.service: the waiver of sandbox-no-new-privileges ended on ${day(-1)} (calls sudo until ticket 12): take it away, or give it a new date`,
      ],
    );
    assert.equal(status, 1, output);
  });

  test("prod: a unit from text is checked like any other, and by the lints", () => {
    const text = "[Unit]\nDescription=own\n[Service]\nExecStart=/usr/bin/own\nEnvironment=DB_PASSWORD=hunter2hunter2\n";
    const { status, output } = gated({ text }, configOf("prod"));
    const found = violations(output).map((line) => line.split(" ").slice(0, 2).join(" "));
    assert.deepEqual(found, [
      "[advisory] no-install",
      "[mandatory] non-root-user",
      "[mandatory] resource-limits",
      "[mandatory] restart-required",
      "[mandatory] sandbox-exposure",
      "[mandatory] sandbox-no-new-privileges",
      "[mandatory] sandbox-protect-system",
      "[mandatory] sandbox-tier",
      "[mandatory] secret-in-environment",
    ]);
    assert.equal(status, 1, output);
  });

  test("prod: what is not known yet is refused at preview, and by its value in the update", () => {
    const preview = gated({ late: true }, configOf("prod"));
    assert.deepEqual(violations(preview.output), [
      "[mandatory] known-before-update systemd:index:Unit: api.service: api.service: [Service] NoNewPrivileges is not known before the update, so these checks wait for it: sandbox-no-new-privileges, sandbox-tier, sandbox-exposure, no-new-privileges-sudo",
    ]);
    assert.equal(preview.status, 1, preview.output);
    const update = gated({ late: true }, configOf("prod"), { operation: ["up", "--yes", "--skip-preview"] });
    assert.ok(
      violations(update.output).includes(
        `[mandatory] sandbox-no-new-privileges systemd:index:Unit: api.service: ${refusal}`,
      ),
    );
    assert.doesNotMatch(update.output, /command:remote:Command web\d creat(ing|ed)/);
    assert.equal(update.status, 1, update.output);
  });

  for (const type of ["systemd:index:Unit", "command:remote:Command"]) {
    test(`dev: a transform of ${type} does not go unseen`, () => {
      const { output } = gated({ transform: type }, configOf("dev"));
      const sent = violations(output).filter((line) => line.includes("sent-as-reviewed command:remote:Command: web1"));
      const value = type === "systemd:index:Unit" ? "yes" : "no";
      assert.ok(
        sent.includes(
          `[advisory] sent-as-reviewed command:remote:Command: web1: api.service: it was changed after it was checked: the host is sent [Service] NoNewPrivileges=${value}, which was not there`,
        ),
        output,
      );
    });
  }

  test("prod: what only all units of a host show: a timer of a fleet without a delay", () => {
    const { status, output } = gated({ timer: true }, configOf("prod"));
    const [found = "", ...others] = violations(output);
    assert.match(
      found,
      /^\[mandatory\] timer-jitter command:remote:Command: web[12]: nightly\.timer: \[Timer\] RandomizedDelaySec= is not set, and other hosts have it too, wanted a delay such as 10min: what it starts would begin on all of them in the same second, and hit what they share$/,
    );
    assert.deepEqual(others, []);
    assert.equal(status, 1, output);
  });

  test("the ratchet: the baseline is written on demand, and a worse score is refused", () => {
    const baseline = join(directory, "exposure.json");
    const config = configWith("prod", { "exposure-ratchet": { baseline } });
    const written = gated({}, config, { env: { PULUMI_SYSTEMD_WRITE_BASELINE: "1" } });
    assert.equal(written.status, 0, written.output);
    const { dev, ...others } = JSON.parse(readFileSync(baseline, "utf8"));
    assert.deepEqual([dev["api.service"], others], [1.3, {}]);
    const worse = gated({ api: { service: { RestrictNamespaces: "no" } } }, config);
    assert.deepEqual(violations(worse.output), [
      "[mandatory] exposure-ratchet systemd:index:Unit: api.service: api.service: exposure 2.0, wanted at most 1.3, the baseline of dev: a change must not open the sandbox unseen; the baseline changes in the same commit, or not at all",
    ]);
    assert.equal(worse.status, 1, worse.output);
  });

  test("without a config file every policy is mandatory, and what only informs is not", () => {
    const { status, output } = gated({ api: { ...unlocked, restart: "no", restartSec: "3s" } });
    const levels = violations(output).map((line) => line.split(" ").slice(0, 2).join(" "));
    assert.ok(levels.includes("[mandatory] sandbox-no-new-privileges"), output);
    assert.ok(levels.includes("[advisory] restart-sec-without-restart"), output);
    assert.equal(status, 1, output);
  });

  test("the pack for commands reads the units that commands and copied files bring", () => {
    const unit = "[Unit]\nDescription=own\n[Service]\nExecStart=/usr/bin/own | tee log\nUser=own\n";
    writeFileSync(join(directory, "copied.service"), unit);
    const script = `cat > /etc/systemd/system/own.service <<'EOF'\n${unit}EOF\ncp other.service /etc/systemd/system/other.service\n`;
    const { status, output } = gated({ script, copied: "copied.service" }, undefined, {
      folder: join(pack, "commands"),
    });
    const found = violations(output).filter((line) => /shell-syntax|units-readable|host-key|non-root/.test(line));
    assert.deepEqual(
      found.map((line) => line.replace(/: "\|" is an argument.*/, "")),
      [
        "[advisory] units-readable command:remote:Command: write: write: /etc/systemd/system/other.service is not checked: no text is written to it here",
        "[mandatory] host-key-pinned command:remote:Command: write: write: the host's key is not pinned, wanted connection.hostKey, and the jump host's where there is one: whoever poses as this host gets its secrets",
        "[mandatory] shell-syntax command:remote:Command: write: own.service: [Service] ExecStart",
        "[mandatory] shell-syntax command:remote:CopyToRemote: copy: copied.service: [Service] ExecStart",
      ],
    );
    assert.equal(status, 1, output);
  });

  test("a config that does not fit the schema is refused", () => {
    const file = configWith("dev", {
      "sandbox-exposure": { maximum: 11 },
      "non-root-user": { except: [{ reason: "for no resource" }] },
      "sandbox-tier": { daemon: "closed" },
      waivers: { maximumDays: "90" },
    });
    const { status, output } = gated({}, file);
    assert.match(output, /sandbox-exposure: maximum: Must be less than or equal to 10/);
    assert.match(output, /non-root-user: except\.0: Must have at least 2 properties/);
    assert.match(
      output,
      /sandbox-tier: daemon: daemon must be one of the following: "open", "basic", "contained", "sealed"/,
    );
    assert.match(output, /waivers: maximumDays: Invalid type\. Expected: integer, given: string/);
    assert.equal(status, 1, output);
  });

  test("a key that no policy has is told by the policy itself", () => {
    const file = configWith("dev", { "sandbox-exposure": { maximun: 3 } });
    const { output } = gated({}, file);
    assert.match(output, /the config of sandbox-exposure is wrong, so it checks nothing: Unrecognized key: "maximun"/);
  });
});
