import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { PulumiRun } from "../../setup/pulumi-cli.ts";
import { shown } from "./facts.ts";
import { bootedFleet, type Fleet } from "./fleet.ts";
import { allChangesSince, observedAll, onEach, untouched } from "./observation.ts";
import { connectionOf, type TestStack, testStack } from "./stack.ts";

const pack = join(import.meta.dirname, "..", "..", "policies");
const gated = (environment: string) => [
  ...["--policy-pack", pack],
  ...["--policy-pack-config", join(pack, "config", `${environment}.json`)],
];

const limited = { MemoryMax: "64M" };
const notifying = {
  exec: ["/bin/sh", "-c", "systemd-notify --ready; exec sleep infinity"],
  type: "notify",
  service: { ...limited, NotifyAccess: "all" },
};
const safe = {
  services: {
    climber: { exec: ["/bin/sleep", "infinity"], user: "climber", createUser: true, service: limited },
    silent: { exec: ["/bin/sleep", "infinity"], service: limited },
  },
};
const withPrivileges = {
  services: {
    ...safe.services,
    climber: { ...safe.services.climber, service: { ...limited, NoNewPrivileges: false } },
  },
};
const withoutWatchdog = { services: { ...safe.services, silent: notifying } };
const unsafe = { services: { climber: withPrivileges.services.climber, silent: withoutWatchdog.services.silent } };

suite("the policy gate", { timeout: 300_000 }, () => {
  let fleet: Fleet;
  let prod: TestStack;

  const hosts = () => onEach(fleet.hosts, (host) => ({ connection: connectionOf(host) }));
  const refused = async (config: object, wanted: readonly string[], ...operation: string[]) => {
    const before = await observedAll(fleet.hosts, []);
    await prod.configure({ ...config, hosts: hosts() });
    const run = await prod.pulumi(...operation, ...gated("prod"));
    assert.deepEqual([run.code, findings(run)], [1, wanted.map((finding) => `mandatory ${finding}`)], run.output);
    assert.deepEqual(await allChangesSince(before), onEach(fleet.hosts, untouched));
  };

  before(async () => {
    [fleet, prod] = await Promise.all([bootedFleet(), testStack("prod")]);
  });
  after(async () => {
    prod?.remove();
    await fleet?.down();
  });

  test("prod refuses a service that may gain privileges, in the preview", () =>
    refused(withPrivileges, [climbs, tier("contained")], "preview"));
  test("and in an update without a preview, before a host is asked", () =>
    refused(withPrivileges, [climbs, tier("contained")], "up", "--yes", "--skip-preview"));
  test("prod refuses a notify service without a watchdog, in an update", () =>
    refused(withoutWatchdog, [hangs("5s to 5min")], "up", "--yes"));

  test("dev lets both pass with a warning", async () => {
    await fleet.stack.configure({ ...unsafe, hosts: hosts() });
    const run = await fleet.stack.up(...gated("dev"));
    assert.deepEqual(
      [run.code, findings(run)],
      [0, [climbs, tier("basic"), hangs("1s to 10min")].map((finding) => `advisory ${finding}`)],
      run.output,
    );
    for (const host of fleet.hosts) {
      for (const unit of ["climber.service", "silent.service"]) {
        const { ActiveState, NoNewPrivileges } = await shown(host, unit, "ActiveState", "NoNewPrivileges");
        assert.deepEqual([ActiveState, NoNewPrivileges], ["active", unit === "climber.service" ? "no" : "yes"]);
      }
    }
  });

  test("prod lets the safe one pass", async () => {
    await prod.configure({ ...safe, hosts: hosts() });
    const run = await prod.preview(...gated("prod"));
    assert.deepEqual([run.code, findings(run)], [0, []], run.output);
  });

  test("destroy leaves nothing behind", () => fleet.destroy(["/var/lib/climber", "/var/lib/silent"]));
});

const climbs =
  "sandbox-no-new-privileges climber.service: [Service] NoNewPrivileges=no, wanted yes: its processes could gain privileges through setuid programs such as sudo";
const tier = (name: string) =>
  `sandbox-tier climber.service: [Service] lacks NoNewPrivileges=yes (it is no), wanted the tier ${name}: that is what a daemon of this environment needs`;
const hangs = (wanted: string) =>
  `watchdog-required silent.service: [Service] WatchdogSec= is not set, wanted ${wanted}: a service that hangs would stay up in name and serve nobody`;

/** `LEVEL POLICY MESSAGE` of each finding that the CLI printed, sorted. */
function findings(run: PulumiRun): string[] {
  const printed = run.output.matchAll(/- \[(\w+)\] \[severity: \w+\] {2}(\S+) {2}\(.+\)\n.+\n +(\S.*)\n/g);
  return [...printed].map(([, level, policy, message]) => `${level} ${policy} ${message}`).sort();
}
