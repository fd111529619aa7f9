import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { SandboxHost } from "../../sandbox/host.ts";
import { type PulumiRun, pulumiRun } from "../../setup/pulumi-cli.ts";

const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Config of the program under the project's name: `{ hosts: { web1: {} }, services: { ... } }`. */
export type StackConfig = Readonly<Record<string, unknown>>;

/** A stack of this repository's own program with a state, a passphrase and a config file of its own. */
export interface TestStack {
  readonly name: string;
  /** Environment of the CLI in which the stack is found. */
  readonly env: NodeJS.ProcessEnv;
  /** Folder of this stack alone; it goes with `remove`. */
  readonly folder: string;
  /** Sets the whole config of the next operations. Values under `secrets` are set encrypted, by their path. */
  configure(config: StackConfig, secrets?: Readonly<Record<string, string>>): Promise<void>;
  /** Any command of the CLI on this stack. */
  pulumi(...args: readonly string[]): Promise<PulumiRun>;
  /** `pulumi up`, without a preview before it unless asked. */
  up(...args: readonly string[]): Promise<PulumiRun>;
  preview(...args: readonly string[]): Promise<PulumiRun>;
  destroy(...args: readonly string[]): Promise<PulumiRun>;
  remove(): void;
}

/** How the program reaches a sandbox host, for `hosts.NAME.connection` of its config. */
export function connectionOf(host: SandboxHost) {
  return {
    host: host.address,
    port: host.port,
    user: host.user,
    privateKeyFile: host.privateKeyFile,
    hostKey: host.hostKey,
  };
}

/**
 * A new, empty stack of this repository's program or of another. The toolchain is the one that the test driver put into the environment.
 * @param timeoutSec seconds for each command of the CLI
 */
export async function testStack(name = "dev", program = repository, timeoutSec = 600): Promise<TestStack> {
  const folder = mkdtempSync(join(tmpdir(), "pulumi-systemd-stack-"));
  const config = join(folder, `Pulumi.${name}.yaml`);
  mkdirSync(join(folder, "state"));
  const env = {
    ...process.env,
    PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "a passphrase of the tests",
  };
  const project = join(folder, "project");
  mkdirSync(project);
  writeFileSync(join(project, "Pulumi.yaml"), readFileSync(join(program, "Pulumi.yaml")));
  const created = await pulumiRun(["--cwd", project, "stack", "init", name], { env });
  if (created.code !== 0) throw new Error(created.output);
  const salt = readFileSync(join(project, `Pulumi.${name}.yaml`), "utf8");

  const pulumi = (...args: readonly string[]) => {
    // `pulumi stack ...` reads the state alone and does not know the option.
    const options = args[0] === "stack" ? [] : ["--config-file", config];
    return pulumiRun(["--cwd", program, ...args, "--stack", name, ...options], { env, timeoutSec });
  };
  return {
    name,
    env,
    folder,
    configure: async (own, secrets = {}) => {
      const values = Object.entries(own).map(([key, value]) => [`pulumi-systemd:${key}`, value]);
      // JSON is YAML, so no writer of YAML is needed.
      writeFileSync(config, `${salt}config: ${JSON.stringify(Object.fromEntries(values))}\n`, { mode: 0o600 });
      for (const [path, value] of Object.entries(secrets)) {
        const set = await pulumiRun(
          [
            "--cwd",
            program,
            "config",
            "set",
            "--secret",
            "--path",
            `pulumi-systemd:${path}`,
            "--stack",
            name,
            "--config-file",
            config,
          ],
          { env, input: value },
        );
        if (set.code !== 0) throw new Error(set.output);
      }
    },
    pulumi,
    up: (...args) => pulumi("up", "--yes", "--skip-preview", "--continue-on-error", ...args),
    preview: (...args) => pulumi("preview", ...args),
    destroy: (...args) => pulumi("destroy", "--yes", "--skip-preview", ...args),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
