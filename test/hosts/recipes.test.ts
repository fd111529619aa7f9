import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { bootedHost, type SandboxHost } from "../../sandbox/host.ts";
import { type CommandResult, commandOutput, commandResult } from "../../setup/command.ts";
import { connectionOf } from "./stack.ts";

const repository = join(import.meta.dirname, "../..");
const program = [
  "activation",
  "bin/host",
  "build",
  "cli",
  "components",
  "examples/ci",
  "policies",
  "program",
  "sandbox",
  "setup",
  "systemd",
];

suite("recipes for CI, as a runner runs them", { timeout: 300_000 }, () => {
  let host: SandboxHost;
  let folder: string;
  let env: NodeJS.ProcessEnv;
  let salt: string;

  before(async () => {
    host = await bootedHost({ release: "bookworm" });
    folder = mkdtempSync(join(tmpdir(), "pulumi-systemd-recipes-"));
    const state = join(folder, "state");
    mkdirSync(state);
    env = { ...process.env, PULUMI_BACKEND_URL: `file://${state}`, PULUMI_CONFIG_PASSPHRASE: "recipes", STACK: "prod" };
    for (const path of [...program, "index.ts", "main.js", "package.json", "package-lock.json", "Pulumi.yaml"]) {
      cpSync(join(repository, path), join(folder, path), { recursive: true });
    }
    symlinkSync(join(repository, "node_modules"), join(folder, "node_modules"));
    // What `npm run build` makes; the sources are the same.
    mkdirSync(join(folder, "bin/cli"), { recursive: true });
    writeFileSync(join(folder, "bin/cli/main.js"), 'import "../../cli/main.ts";\n');
    writeFileSync(join(folder, ".gitignore"), "node_modules\nbin\nstate\nreview\n");
    await command("pulumi", "stack", "init", "prod");
    salt = readFileSync(join(folder, "Pulumi.prod.yaml"), "utf8");
    await command("git", "init", "--quiet", "--initial-branch=main");
    await committed("10s");
  });
  after(async () => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    await host?.down();
  });

  const command = (...args: string[]) => commandOutput(args.join(" "), args, { cwd: folder, env });
  const recipe = (name: string, variables: object = {}): Promise<CommandResult> =>
    commandResult(["sh", `examples/ci/${name}.sh`], { cwd: folder, env: { ...env, ...variables } });

  /** A commit in which the service waits so long before a restart. */
  async function committed(restartSec: string, service: object = {}): Promise<void> {
    const config = {
      "pulumi-systemd:hosts": { web1: { connection: connectionOf(host) } },
      "pulumi-systemd:services": {
        idle: { exec: ["/bin/sleep", "infinity"], restartSec, service: { MemoryMax: "64M", ...service } },
      },
    };
    writeFileSync(join(folder, "Pulumi.prod.yaml"), `${salt}config: ${JSON.stringify(config)}\n`);
    await command("git", "add", "--all");
    const author = ["-c", "user.name=Recipes", "-c", "user.email=recipes@example.org"];
    await command("git", ...author, "commit", "--quiet", "--message", `Wait ${restartSec}`);
  }

  const restartSec = () => host.output("systemctl show --property=RestartUSec --value idle.service");

  test("the merge brings the hosts to what was reviewed, and nothing drifts", async () => {
    const deployed = await recipe("deploy");
    assert.equal(deployed.code, 0, deployed.stdout + deployed.stderr);
    assert.equal(await restartSec(), "10s\n");
    const drift = await recipe("drift");
    assert.equal(drift.code, 0, drift.stdout + drift.stderr);
  });

  test("a change is reviewed and previewed, and touches no host", async () => {
    await committed("20s");
    const checked = await recipe("check", { BASE: "HEAD~1" });
    assert.equal(checked.code, 0, checked.stdout + checked.stderr);
    assert.match(readFileSync(join(folder, "review/review.md"), "utf8"), /idle\.service/);
    assert.match(readFileSync(join(folder, "review/review.html"), "utf8"), /RestartSec/);
    assert.match(checked.stdout, /-.*RestartSec=10s[\s\S]*\+.*RestartSec=20s/);
    assert.equal(await restartSec(), "10s\n");
  });

  test("a change that the gate refuses ends the check and the update, and touches no host", async () => {
    await committed("30s", { ProtectSystem: false });
    rmSync(join(folder, "review"), { recursive: true });
    const checked = await recipe("check", { BASE: "HEAD~2" });
    assert.notEqual(checked.code, 0);
    assert.match(checked.stdout, /sandbox-protect-system/);
    // The reviewer reads why all the same.
    assert.ok(existsSync(join(folder, "review/review.md")));
    const deployed = await recipe("deploy");
    assert.notEqual(deployed.code, 0);
    assert.match(deployed.stdout, /sandbox-protect-system/);
    assert.equal(await restartSec(), "10s\n");
  });

  test("what somebody stopped on a host is told by the job on a schedule", async () => {
    await committed("10s");
    await host.output("systemctl stop idle.service");
    const drift = await recipe("drift");
    assert.equal(drift.code, 1, drift.stdout + drift.stderr);
    assert.match(drift.stdout, /idle\.service/);
  });
});
