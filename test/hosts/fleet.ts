import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { bootedHost, type SandboxHost } from "../../sandbox/host.ts";
import { debianReleases, systemdVersion } from "../../sandbox/release.ts";
import type { PulumiRun } from "../../setup/pulumi-cli.ts";
import { connectionOf, type StackConfig, type TestStack, testStack } from "./stack.ts";

/** One new host of each Debian release, and one stack that deploys the same definitions to all of them. */
export interface Fleet {
  readonly hosts: readonly SandboxHost[];
  readonly stack: TestStack;
  /** Brings every host to a config without `hosts`. Secrets by their path. @throws Error with Pulumi's output when it fails */
  deploy(config: StackConfig, secrets?: Readonly<Record<string, string>>): Promise<PulumiRun>;
  /** The same, with whatever `pulumi up` answers. */
  tried(config: StackConfig, secrets?: Readonly<Record<string, string>>): Promise<PulumiRun>;
  /** Destroys the stack and fails when a host is not as it was before the first deployment. */
  destroy(): Promise<void>;
  /** Takes the hosts away, whatever the stack left on them. */
  down(): Promise<void>;
}

/** Boots the hosts side by side; `prepared` puts on each what the stack expects to find there. */
export async function bootedFleet(prepared: (host: SandboxHost) => Promise<void> = async () => {}): Promise<Fleet> {
  const stack = await testStack();
  const booted = await Promise.allSettled(debianReleases.map((release) => bootedHost({ release })));
  const hosts = booted.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const down = async () => {
    await Promise.all(hosts.map((host) => host.down()));
    stack.remove();
  };
  try {
    for (const result of booted) if (result.status === "rejected") throw result.reason;
    await Promise.all(hosts.map(prepared));
    const before = await Promise.all(hosts.map(lastingState));
    const connections = Object.fromEntries(hosts.map((host) => [host.release, { connection: connectionOf(host) }]));
    const tried: Fleet["tried"] = async (config, secrets) => {
      await stack.configure({ ...config, hosts: connections }, secrets);
      return stack.up();
    };
    return {
      hosts,
      stack,
      tried,
      deploy: async (config, secrets) => {
        const run = await tried(config, secrets);
        assert.equal(run.code, 0, run.output);
        return run;
      },
      destroy: async () => {
        const run = await stack.destroy();
        assert.equal(run.code, 0, run.output);
        const after = await Promise.all(hosts.map(lastingState));
        const changes = hosts.flatMap((host, index) => differences(before[index]!, after[index]!, host.release));
        assert.deepEqual(changes, []);
      },
      down,
    };
  } catch (error) {
    await down();
    throw error;
  }
}

/** A test with one subtest for each host of the fleet, all at once. */
export function testOnEachHost(title: string, fleet: () => Fleet, body: (host: SandboxHost) => Promise<void>): void {
  test(title, { concurrency: true }, async (context) => {
    await Promise.all(
      fleet().hosts.map((host) => context.test(releaseTitle(host), (own: TestContext) => told(host, own, body))),
    );
  });
}

/** What is said about a host that failed: its journal's end, since the host goes with the test. */
async function told(
  host: SandboxHost,
  context: TestContext,
  body: (host: SandboxHost) => Promise<void>,
): Promise<void> {
  try {
    await body(host);
  } catch (error) {
    const journal = await host.run("journalctl --sync; journalctl --no-pager --boot --output short-precise --lines 60");
    context.diagnostic(`the journal of ${host.name} ends so:\n${journal.stdout}`);
    throw error;
  }
}

function releaseTitle({ release }: SandboxHost): string {
  return `${release} (systemd ${systemdVersion[release]})`;
}

/** The config of an example, `examples/NAME/Pulumi.example.yaml`, as Pulumi itself reads it. */
export async function exampleConfig(stack: TestStack, name: string): Promise<Record<string, ExampleSection>> {
  const example = join(import.meta.dirname, "..", "..", "examples", name, "Pulumi.example.yaml");
  copyFileSync(example, join(stack.folder, `Pulumi.${stack.name}.yaml`));
  const read = await stack.pulumi("config", "--json");
  assert.equal(read.code, 0, read.output);
  const values: Record<string, { objectValue: ExampleSection }> = JSON.parse(read.stdout);
  return Object.fromEntries(
    Object.entries(values).map(([key, { objectValue }]) => [key.replace(/^pulumi-systemd:/, ""), objectValue]),
  );
}

/** Definitions of one kind by name, such as all timers. */
export type ExampleSection = Record<string, Record<string, unknown>>;

function differences(before: readonly string[], after: readonly string[], release: string): string[] {
  return [
    ...before.filter((line) => !after.includes(line)).map((line) => `${release}: gone: ${line}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `${release}: left: ${line}`),
  ];
}

/**
 * All that a deployment may leave on a host: files with their digests, owners and modes, links, accounts, failed units.
 * Not in it: data directories of services, which a destroy keeps, the backups that the account tools make, and the host
 * program's lock in /run, which must not go while another run may wait for it.
 */
async function lastingState(host: SandboxHost): Promise<string[]> {
  const listing = await host.output(
    String.raw`
set -e
find /etc /opt /usr/lib/systemd /usr/local /root /home /var/lib/systemd /var/spool \
  \( -path /var/lib/systemd/catalog -o -path /var/lib/systemd/coredump -o -name 'random-seed' -o -name '.pwd.lock' \
     -o -path /var/lib/systemd/timesync -o -name '*-' -path '/etc/*' -o -name '*.cache' \) -prune -o \
  ! -type f -printf '%p %y %m %u:%g %l\n' -o -type f -printf '%p %y %m %u:%g ' -exec sha256sum {} \; | sed 's/ \/[^ ]*$//'
find /var/lib/pulumi-systemd /run/pulumi-systemd -mindepth 1 ! -path /run/pulumi-systemd/lock -printf '%p %y\n' 2>/dev/null || true
find /var/lib/pulumi-systemd -maxdepth 0 2>/dev/null || true
systemctl --failed --no-legend --plain | cut -d' ' -f1 | sed 's/$/ failed/'`,
  );
  return listing.split("\n").sort();
}
