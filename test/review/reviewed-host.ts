import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import type { Bundle } from "../../activation/bundle.ts";
import { type HostChange, hostChanges } from "../../cli/review/host-change.ts";
import { stackHosts } from "../../cli/stack/stack-hosts.ts";
import { bootedHost, type SandboxHost } from "../../sandbox/host.ts";
import { logSince, type Mark, mark } from "../hosts/host-log.ts";
import { connectionOf, type TestStack, testStack } from "../hosts/stack.ts";
import { patched, type ReviewedChange } from "./changes.ts";

const repository = join(import.meta.dirname, "../..");

/** What a review says will become of each unit, or what became of it on the host. */
export interface Outcome {
  /** By unit: what it does now, and whether it is enabled at boot. */
  readonly units: Readonly<Record<string, string>>;
  readonly daemonReloads: number;
  /** Units and files whose content changes, comes or goes. */
  readonly files: readonly string[];
}

/** One real host, and a stack whose changes are first reviewed and then deployed to it. */
export interface ReviewedHost {
  /** Reviews one change, deploys it, and gives what was said and what then happened. */
  changed(change: ReviewedChange): Promise<{ readonly said: Outcome; readonly happened: Outcome }>;
  down(): Promise<void>;
}

/** Boots a host and deploys the start of a history to it. */
export async function reviewedHost(start: Readonly<Record<string, unknown>>): Promise<ReviewedHost> {
  const stack = await testStack();
  const host = await bootedHost({ release: "bookworm" });
  const down = async () => {
    await host.down();
    stack.remove();
  };
  let config = start;
  let before: Bundle | undefined;
  const configured = async (secret?: string) => {
    const secrets = secret === undefined ? {} : { "services.api.secretEnvironment.API_KEY": secret };
    await stack.configure({ ...config, hosts: { web1: { connection: connectionOf(host) } } }, secrets);
    if (secret !== undefined) config = patched(config, heldSecret(stack)) as typeof config;
    return bundleOf(stack);
  };
  const deployed = async () => {
    const { code, output } = await stack.up();
    assert.equal(code, 0, output);
  };
  try {
    before = await configured();
    await deployed();
  } catch (error) {
    await down();
    throw error;
  }
  return {
    down,
    changed: async ({ patch, secret }) => {
      config = patched(config, patch) as typeof config;
      const after = await configured(secret);
      const [review] = hostChanges([{ host: "web1", before, after }]);
      assert.ok(review !== undefined);
      const old = await stateOf(host, before, after);
      const since = await mark(host);
      await deployed();
      const happened = await observed(host, old, since, before, after);
      const said = planned(review, old);
      before = after;
      return { said, happened };
    },
  };
}

/** The bundle of the stack's host as a review sees it: no secret is read. */
async function bundleOf(stack: TestStack): Promise<Bundle> {
  const configFile = join(stack.folder, `Pulumi.${stack.name}.yaml`);
  const { hosts, errors } = await stackHosts({ folder: repository, stack: stack.name, configFile, secretMarks: true });
  assert.deepEqual(errors, []);
  assert.ok(hosts[0]?.bundle !== undefined);
  return hosts[0].bundle;
}

/** The ciphertext of the secret, so that the next change leaves it as it is. */
function heldSecret(stack: TestStack): object {
  const file = load(readFileSync(join(stack.folder, `Pulumi.${stack.name}.yaml`), "utf8"));
  const { config } = file as { config: Record<string, { api: { secretEnvironment: object } }> };
  return { services: { api: { secretEnvironment: config["pulumi-systemd:services"]?.api.secretEnvironment } } };
}

interface UnitState {
  readonly invocation: string;
  readonly isActive: boolean;
  readonly isEnabled: boolean;
}

interface HostState {
  readonly units: ReadonlyMap<string, UnitState>;
  /** Checksums by path. */
  readonly files: ReadonlyMap<string, string>;
}

/** The state of every unit and file that one of two bundles names. */
async function stateOf(host: SandboxHost, ...bundles: readonly (Bundle | undefined)[]): Promise<HostState> {
  const given = bundles.flatMap((bundle) => (bundle === undefined ? [] : [bundle]));
  const names = [...new Set(given.flatMap(({ units }) => units.map(({ name }) => name)))].sort();
  const paths = [...new Set(given.flatMap(({ units, files }) => [...units, ...files].map(({ path }) => path)))].sort();
  const text = await host.output(
    `systemctl show --property=Id,InvocationID,ActiveState,UnitFileState ${names.join(" ")}; echo; sha256sum ${paths.join(" ")} 2>/dev/null || true`,
  );
  const units = names.map((name) => {
    const block = text.split("\n\n").find((one) => one.split("\n").includes(`Id=${name}`)) ?? "";
    const property = (key: string) => new RegExp(`^${key}=(.*)$`, "m").exec(block)?.[1] ?? "";
    const isActive = property("ActiveState") === "active";
    return [
      name,
      { invocation: property("InvocationID"), isActive, isEnabled: property("UnitFileState") === "enabled" },
    ] as const;
  });
  const sums = [...text.matchAll(/^([0-9a-f]{64}) {2}(\/.*)$/gm)].map(
    ([, sum = "", path = ""]) => [path, sum] as const,
  );
  return { units: new Map(units), files: new Map(sums) };
}

async function observed(
  host: SandboxHost,
  old: HostState,
  since: Mark,
  ...bundles: readonly (Bundle | undefined)[]
): Promise<Outcome> {
  const now = await stateOf(host, ...bundles);
  const { daemonReloads } = await logSince(host, since);
  const units = [...now.units].map(([name, { invocation, isActive, isEnabled }]) => {
    const was = old.units.get(name);
    const isNew = isActive && invocation !== was?.invocation;
    return [name, outcome(isActive ? (isNew ? "started" : "goes on") : "not running", isEnabled)] as const;
  });
  const paths = [...new Set([...old.files.keys(), ...now.files.keys()])].sort();
  return {
    units: Object.fromEntries(units),
    daemonReloads,
    files: paths.filter((path) => old.files.get(path) !== now.files.get(path)),
  };
}

function planned({ plan, units: changes, files }: HostChange, old: HostState): Outcome {
  const units = plan.units.map(({ unit, action, ifIdle, enablement }) => {
    const { isActive = false, isEnabled = false } = old.units.get(unit) ?? {};
    const does = isActive ? action : (ifIdle ?? action);
    const isStarted = does === "start" || does === "restart" || does === "stop+start";
    const run = isStarted ? "started" : does === "stop" || !isActive ? "not running" : "goes on";
    const enabled = enablement === "none" ? isEnabled : enablement !== "disable";
    return [unit, outcome(run, enabled)] as const;
  });
  const texts = changes.filter(({ diff }) => diff !== "").map(({ unit }) => `/etc/systemd/system/${unit}`);
  return {
    units: Object.fromEntries(units.sort(([a], [b]) => (a < b ? -1 : 1))),
    daemonReloads: plan.daemonReloads,
    files: [...texts, ...files.map(({ path }) => path)].sort(),
  };
}

function outcome(run: string, isEnabled: boolean): string {
  return isEnabled ? `${run}, enabled` : run;
}
