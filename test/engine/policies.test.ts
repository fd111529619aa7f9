import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, suite, test } from "node:test";

const root = resolve(import.meta.dirname, "../..");
const pack = join(root, "policies");
const configOf = (environment: "dev" | "prod") => join(pack, "config", `${environment}.json`);

const because = "its processes could gain privileges through setuid programs such as sudo";
const refusal = `api.service: [Service] NoNewPrivileges=no, wanted yes: ${because}`;

suite("the policy pack in the Pulumi CLI", () => {
  let directory: string;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), "pulumi-systemd-policies-"));
    cpSync(join(import.meta.dirname, "fixtures/policies"), directory, { recursive: true });
    symlinkSync(join(root, "node_modules"), join(directory, "node_modules"));
    mkdirSync(join(directory, "state"));
    const { status, output } = pulumi("stack", "init", "dev");
    assert.equal(status, 0, output);
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  function pulumi(...args: string[]): { status: number | null; output: string } {
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
      },
    });
    if (run.error !== undefined) throw run.error;
    return { status: run.status, output: `${run.stdout}${run.stderr}` };
  }

  /** Runs the fixture with its config and the pack with the config of an environment. */
  function gated(operation: string[], fixture: Record<string, unknown>, policyConfig?: string) {
    const config = Object.entries(fixture).map(([key, value]) => [`policies-fixture:${key}`, value]);
    writeFileSync(join(directory, "Pulumi.dev.yaml"), JSON.stringify({ config: Object.fromEntries(config) }));
    const file = policyConfig === undefined ? [] : ["--policy-pack-config", policyConfig];
    return pulumi(...operation, "--policy-pack", pack, ...file);
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

  test("dev: an unsafe unit passes with a warning; unknown values and exceptions are shown", () => {
    const { status, output } = gated(
      ["preview"],
      { api: { NoNewPrivileges: "no" }, late: true, health: true },
      configOf("dev"),
    );
    assert.deepEqual(violations(output), [
      `[advisory] sandbox-exposure systemd:index:Unit: late.service: can't run policy 'sandbox-exposure' from policy pack 'pulumi-systemd@v0.1.0' during preview: string value at .sections.Service.NoNewPrivileges can't be known during preview`,
      `[advisory] sandbox-no-new-privileges systemd:index:Unit: api.service: ${refusal}`,
      `[advisory] sandbox-no-new-privileges systemd:index:Unit: late.service: can't run policy 'sandbox-no-new-privileges' from policy pack 'pulumi-systemd@v0.1.0' during preview: string value at .sections.Service.NoNewPrivileges can't be known during preview`,
    ]);
    assert.match(
      output,
      /^ {4}non-root-user excepted \(only root may restart the unit that it watches\): api-health\.service: \[Service\] User= is not set, wanted/m,
    );
    assert.ok(!output.includes("hunter2"), output);
    assert.equal(status, 0, output);
  });

  test("prod: the same unit, and one without watchdog, is refused", () => {
    const { status, output } = gated(
      ["preview"],
      { api: { NoNewPrivileges: "no", WatchdogSec: "0" } },
      configOf("prod"),
    );
    assert.deepEqual(violations(output), [
      `[mandatory] sandbox-no-new-privileges systemd:index:Unit: api.service: ${refusal}`,
      "[mandatory] watchdog-required systemd:index:Unit: api.service: api.service: [Service] WatchdogSec=0, wanted 5s to 5min: a service that hangs would stay up in name and serve nobody",
    ]);
    assert.equal(status, 1, output);
  });

  test("prod: a sandboxed service and a health check as root pass", () => {
    const { status, output } = gated(["preview"], { health: true }, configOf("prod"));
    assert.deepEqual(violations(output), []);
    assert.match(output, /✅ pulumi-systemd@v0\.1\.0/);
    assert.equal(status, 0, output);
  });

  test("prod: a value that was unknown at preview is checked during the update", () => {
    const { status, output } = gated(["up", "--yes", "--skip-preview"], { late: true }, configOf("prod"));
    assert.deepEqual(violations(output), [
      `[mandatory] sandbox-no-new-privileges systemd:index:Unit: late.service: late.service: [Service] NoNewPrivileges=no, wanted yes: ${because}`,
    ]);
    assert.equal(status, 1, output);
  });

  test("without a config file every policy is mandatory", () => {
    const { status, output } = gated(["preview"], { api: { NoNewPrivileges: "no" } });
    assert.deepEqual(violations(output), [
      `[mandatory] sandbox-no-new-privileges systemd:index:Unit: api.service: ${refusal}`,
    ]);
    assert.equal(status, 1, output);
  });

  test("a config that does not fit the schema is refused", () => {
    const file = join(directory, "policies.json");
    writeFileSync(
      file,
      JSON.stringify({
        all: "advisory",
        "sandbox-exposure": { maximum: 11 },
        "non-root-user": { except: [{ reason: "for no resource" }] },
      }),
    );
    const { status, output } = gated(["preview"], {}, file);
    assert.match(output, /sandbox-exposure: maximum: Must be less than or equal to 10/);
    assert.match(output, /non-root-user: except\.0: Must have at least 2 properties/);
    assert.equal(status, 1, output);
  });
});
