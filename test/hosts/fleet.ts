import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { inspect, isDeepStrictEqual } from "node:util";
import { bootedHost, type SandboxHost } from "../../sandbox/host.ts";
import { debianReleases, systemdVersion } from "../../sandbox/release.ts";
import type { PulumiRun } from "../../setup/pulumi-cli.ts";
import { type Listing, listing, listingChanges } from "./listing.ts";
import { connectionOf, type StackConfig, type TestStack, testStack } from "./stack.ts";

/** One new host of each Debian release, and one stack that deploys the same definitions to all of them. */
export interface Fleet {
  readonly hosts: readonly SandboxHost[];
  readonly stack: TestStack;
  /** Brings every host to a config without `hosts`. Secrets by their path. @throws Error with Pulumi's output when it fails */
  deploy(config: StackConfig, secrets?: Readonly<Record<string, string>>): Promise<PulumiRun>;
  /** The same, with whatever `pulumi up` answers. */
  tried(config: StackConfig, secrets?: Readonly<Record<string, string>>): Promise<PulumiRun>;
  /**
   * Destroys the stack and fails when a host is not as it was before the first deployment.
   * @param data folders whose content does not count, such as data directories
   */
  destroy(data?: readonly string[]): Promise<void>;
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
    const before = await Promise.all(hosts.map((host) => listing(host)));
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
      destroy: async (data = []) => {
        const run = await stack.destroy();
        assert.equal(run.code, 0, run.output);
        const counts = (path: string) => !data.some((folder) => `${path}/`.startsWith(`${folder}/`));
        const counted = (all: Listing): Listing => new Map([...all].filter(([path]) => counts(path)));
        const left = hosts.map(async (host, index) => ({
          host: host.release,
          files: listingChanges(counted(before[index]!), counted(await listing(host))),
          failed: await host.output("systemctl --failed --no-legend --plain"),
        }));
        const clean = hosts.map((host) => ({ host: host.release, files: [], failed: "" }));
        const found = await Promise.all(left);
        assert.ok(isDeepStrictEqual(found, clean), `${inspect(found, { depth: 4 })}\n${run.output}`);
      },
      down,
    };
  } catch (error) {
    await down();
    throw error;
  }
}

export type HostTest = (host: SandboxHost, context: TestContext) => Promise<void>;

/** A test with one subtest for each host of the fleet, all at once. */
export function testOnEachHost(title: string, fleet: () => Fleet, body: HostTest): void {
  test(title, { concurrency: true }, async (context) => {
    await Promise.all(
      fleet().hosts.map((host) => context.test(releaseTitle(host), (own: TestContext) => told(host, own, body))),
    );
  });
}

/** What is said about a host that failed: its journal's end, since the host goes with the test. */
async function told(host: SandboxHost, context: TestContext, body: HostTest): Promise<void> {
  try {
    await body(host, context);
  } catch (error) {
    const journal = await host.run("journalctl --sync; journalctl --no-pager --boot --output short-precise --lines 60");
    context.diagnostic(`the journal of ${host.name} ends so:\n${journal.stdout}`);
    throw error;
  }
}

function releaseTitle({ release }: SandboxHost): string {
  return `${release} (systemd ${systemdVersion[release]})`;
}
