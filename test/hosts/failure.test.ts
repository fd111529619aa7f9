import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { PulumiRun } from "../../setup/pulumi-cli.ts";
import { shown } from "./facts.ts";
import { bootedFleet, type Fleet, testOnEachHost } from "./fleet.ts";
import { type Listing, listing, listingChanges } from "./listing.ts";
import { allChangesSince, observedAll, onEach } from "./observation.ts";

/** `StateDirectory=` of the services; systemd makes it at the first start, also at one that fails. */
const data = ["/var/lib/steady", "/var/lib/victim", "/var/lib/leaver", "/var/lib/newcomer", "/var/lib/shipped"];
const sleeper = { exec: ["/bin/sleep", "infinity"] };
const secrets = { "services.steady.secretEnvironment.TOKEN": "the first token" };

/** A service that does not come up, and what the update must say of it on each host. */
const faults: readonly { title: string; victim: Record<string, unknown>; told: readonly RegExp[] }[] = [
  {
    title: "a program whose interpreter is missing",
    victim: { exec: ["/usr/local/bin/no-interpreter"] },
    told: [/victim\.service did not come up/, /203\/EXEC/],
  },
  {
    title: "a program that is never ready",
    victim: { exec: ["/bin/sleep", "infinity"], type: "notify", timeoutStartSec: "1s" },
    told: [/victim\.service did not come up/, /result timeout/],
  },
  {
    title: "a user that does not exist",
    victim: { ...sleeper, user: "nobody-here" },
    told: [/victim\.service did not come up/, /217\/USER/],
  },
  {
    title: "an environment file that does not exist",
    victim: { ...sleeper, environmentFiles: ["/etc/default/nothing-here"] },
    told: [/victim\.service did not come up/, /nothing-here/],
  },
];

suite("a unit that does not come up", { timeout: 400_000 }, () => {
  let fleet: Fleet;
  let beginning: Listing[];
  let code: string;

  before(async () => {
    fleet = await bootedFleet(async (host) => {
      await host.writeFile("/usr/local/bin/no-interpreter", "#!/usr/bin/there-is-none\n", 0o755);
    });
    beginning = await Promise.all(fleet.hosts.map((host) => listing(host, data)));
    code = join(fleet.stack.folder, "shipped");
    mkdirSync(code);
    writeFileSync(join(code, "main.py"), "raise SystemExit('the orders database is gone')\n");
  });
  after(() => fleet?.down());

  test("the first deployment ever: the hosts are as before, but for the archives that wait for the next one", async () => {
    const run = await fleet.tried({
      services: { steady: sleeper },
      pythonServices: { shipped: { source: code, exec: ["python", "main.py"], user: "shipped", createUser: true } },
    });
    console.log(run.output);
    for (const [index, host] of fleet.hosts.entries()) {
      const changes = listingChanges(beginning[index]!, await listing(host, data));
      console.log(changes);
    }
  });
  for (const f of faults) {
  test(f.title, async () => {
    await fleet.deploy({services:{steady:sleeper,victim:sleeper}}, secrets);
    const before = await observedAll(fleet.hosts, data);
    const run = await fleet.tried({services:{steady:sleeper,victim:f.victim}}, secrets);
    console.log(run.output);
    console.log(JSON.stringify(await allChangesSince(before),null,1));
  });
  }
  test("destroy", async () => {
    await fleet.stack.destroy();
    for (const [index, host] of fleet.hosts.entries()) {
      const changes = listingChanges(beginning[index]!, await listing(host, data));
      console.log(changes);
    }
  });
});
