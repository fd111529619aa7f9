import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { type PulumiRun, type PulumiRunOptions, pulumiRun } from "../setup/pulumi-cli.ts";

const repository = dirname(dirname(fileURLToPath(import.meta.url)));

/** The demo's own stack: state, passphrase and config of its own, apart from the user's Pulumi login and the work tree. */
export interface DemoStack {
  /** Runs the CLI in this repository. `show` gets its output line by line while it runs. */
  pulumi(args: readonly string[], show?: (line: string) => void): Promise<PulumiRun>;
  /** Names of sandbox hosts that the stack's config asks for, by the name of the host resource. */
  sandboxes(): Promise<Record<string, string>>;
  /** File names of all units that the last `up` brought to a host. */
  units(): Promise<string[]>;
  /** Removes state, passphrase and config. */
  remove(): void;
}

const summarySchema = z.record(z.string(), z.looseObject({ units: z.record(z.string(), z.string()) }));
const hostsSchema = z.record(z.string(), z.looseObject({ sandbox: z.string().optional() }));

/** What a demo deploys: a config of this repository's program. */
export interface DemoConfig {
  /** Name of the stack. */
  readonly name: string;
  /** The text of its config file. */
  readonly text: string;
  /** Paths in it at which a random secret is set. */
  readonly secrets: readonly string[];
}

/** What `npm run demo` deploys. */
export function devConfig(): DemoConfig {
  return {
    name: "dev",
    text: readFileSync(join(repository, "Pulumi.dev.yaml"), "utf8"),
    secrets: ["pulumi-systemd:pythonServices.hello.secretEnvironment.API_KEY"],
  };
}

/**
 * A stack of this repository's own Pulumi.yaml, ready for `up`.
 * @param folder where its state lives
 * @param toolchain environment in which `pulumi` is found
 */
export async function demoStack(
  folder: string,
  toolchain: Readonly<Record<string, string>>,
  { name, text, secrets }: DemoConfig,
): Promise<DemoStack> {
  mkdirSync(join(folder, "state"), { recursive: true, mode: 0o700 });
  const config = join(folder, `Pulumi.${name}.yaml`);
  const env = {
    ...process.env,
    ...toolchain,
    PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: keptSecret(join(folder, "passphrase")),
  };
  const inStack = (command: readonly string[], options: Omit<PulumiRunOptions, "env"> = {}) =>
    pulumiRun(["--cwd", repository, ...command, "--stack", name, "--config-file", config], { env, ...options });

  writeFileSync(config, `${text}${salt(config)}`, { mode: 0o600 });
  if (!existsSync(join(folder, "state", ".pulumi", "stacks", "pulumi-systemd", `${name}.json`))) {
    await ok("stack init", pulumiRun(["--cwd", initFolder(folder), "stack", "init", name], { env }));
  }
  for (const key of secrets) {
    const secret = keptSecret(join(folder, `secret-${secrets.indexOf(key)}`));
    await ok("config set", inStack(["config", "set", "--secret", "--path", key], { input: secret }));
  }

  return {
    pulumi: (args, show) => inStack(args, show === undefined ? {} : { show }),
    sandboxes: async () => {
      const { stdout } = await ok("config get", inStack(["config", "get", "--json", "pulumi-systemd:hosts"]));
      const { objectValue } = z.looseObject({ objectValue: hostsSchema }).parse(JSON.parse(stdout));
      return Object.fromEntries(
        Object.entries(objectValue).flatMap(([name, { sandbox }]) => (sandbox === undefined ? [] : [[name, sandbox]])),
      );
    },
    units: async () => {
      const { stdout } = await ok(
        "stack output",
        pulumiRun(["--cwd", repository, "stack", "output", "--json", "hosts", "--stack", name], { env }),
      );
      return Object.values(summarySchema.parse(JSON.parse(stdout))).flatMap(({ units }) => Object.keys(units));
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** `stack init` writes a config file beside Pulumi.yaml; here that is not the work tree's. */
function initFolder(folder: string): string {
  const project = join(folder, "project");
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, "Pulumi.yaml"), readFileSync(join(repository, "Pulumi.yaml")));
  return project;
}

function salt(config: string): string {
  if (!existsSync(config)) return "";
  return (
    readFileSync(config, "utf8")
      .match(/^encryptionsalt: .*$/m)?.[0]
      .concat("\n") ?? ""
  );
}

function keptSecret(path: string): string {
  if (!existsSync(path)) writeFileSync(path, randomBytes(24).toString("base64url"), { mode: 0o600 });
  return readFileSync(path, "utf8");
}

async function ok(what: string, run: Promise<PulumiRun>): Promise<PulumiRun> {
  const done = await run;
  if (done.code !== 0) throw new Error(`pulumi ${what} failed:\n${done.output}`);
  return done;
}
