import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { SandboxHost } from "../../sandbox/host.ts";
import type { PulumiRun } from "../../setup/pulumi-cli.ts";
import { diagnosis } from "./diagnosis.ts";
import { shown } from "./facts.ts";
import { bootedFleet, type Fleet } from "./fleet.ts";
import { differingUnits, invocations } from "./invocations.ts";
import { type Listing, listing, listingChanges } from "./listing.ts";
import { ledger, onEach } from "./observation.ts";
import { connectionOf } from "./stack.ts";

const sleeper = { exec: ["/bin/sleep", "infinity"] };
const needed = "/srv/needed";
const data = ["/var/lib/shop", "/var/lib/steady", "/var/lib/picky", "/var/lib/legacy", "/var/lib/newcomer"];
/** Kept beside the generations, and those of code stay for them. */
const kept = [ledger, "/opt/shop/releases", ...data];
const secretOf = (version: number) => `secret-of-version-${version}`;

suite("pulumi-systemd-host, for the night when CI is down", { timeout: 600_000 }, () => {
  let fleet: Fleet;
  let code: string;
  let listings: Listing[];
  const secrets = (version: number) => ({ "pythonServices.shop.secretEnvironment.TOKEN": secretOf(version) });
  const config = (version: number) => ({
    services: {
      steady: sleeper,
      picky: version === 1 ? { exec: ["/bin/sh", "-c", `test -e ${needed} && exec sleep infinity`] } : sleeper,
      ...(version === 1 ? { legacy: sleeper } : { newcomer: sleeper }),
    },
    pythonServices: { shop: { source: code, exec: ["python", "main.py"], user: "shop", createUser: true } },
  });
  /** `pulumi up` of one version, with another bound so that Pulumi asks the hosts also where nothing else differs. */
  const up = async (version: number, waitSec: number): Promise<PulumiRun> => {
    writeFileSync(join(code, "main.py"), `import time\nprint("version ${version}", flush=True)\ntime.sleep(10**6)\n`);
    const hosts = onEach(fleet.hosts, (host) => ({ connection: connectionOf(host), waitSec }));
    await fleet.stack.configure({ ...config(version), hosts }, secrets(version));
    return fleet.stack.up();
  };
  const command = (host: SandboxHost, words: string) => host.ssh(`sudo pulumi-systemd-host ${words}`);
  const told = async (host: SandboxHost, words: string) => {
    const result = await command(host, words);
    assert.equal(result.code, 0, `${host.release}: ${result.stdout}${result.stderr}`);
    assert.doesNotMatch(result.stdout + result.stderr, /secret-of-version/);
    return result.stdout;
  };
  const onAll = <T>(body: (host: SandboxHost) => Promise<T>) => Promise.all(fleet.hosts.map(body));
  const printed = (host: SandboxHost) =>
    host.output("journalctl --sync; journalctl --output=cat --unit=shop.service | grep '^version' | tail -1");

  before(async () => {
    fleet = await bootedFleet((host) => host.writeFile(needed, ""));
    code = join(fleet.stack.folder, "shop");
    mkdirSync(code);
    for (const [version, waitSec] of [
      [1, 300],
      [2, 300],
    ] as const) {
      const run = await up(version, waitSec);
      assert.equal(run.code, 0, run.output);
      if (version === 1) listings = await onAll((host) => listing(host, kept));
    }
  });
  after(() => fleet?.down());

  test("status and generations say what is there, by name alone", async () => {
    await onAll(async (host) => {
      const scope = `pulumi-systemd/dev/${host.release}`;
      const status = JSON.parse(await told(host, "status --json"));
      const [found] = status.scopes;
      assert.deepEqual([status.scopes.length, found.scope, found.generation, found.hold], [1, scope, 2, null]);
      assert.match(await told(host, "status"), /^ {2}shop\.service +active \(running\) +enabled$/m);
      const lines = (await told(host, "generations")).trimEnd().split("\n");
      assert.deepEqual(
        lines.map((line) =>
          line
            .trim()
            .replace(/ {2,}/g, "  ")
            .replace(/\d{4}-\S+ \S+ UTC/, "WHEN"),
        ),
        [
          `${scope}: the last 5 are kept`,
          "* 2  WHEN  pulumi up  release shop changed, legacy.service gone, newcomer.service new, picky.service changed, shop.service changed, /etc/pulumi-systemd/shop.env changed",
          "1  WHEN  pulumi up  the oldest that is kept",
        ],
      );
      const refused = await host.ssh("/usr/local/sbin/pulumi-systemd-host status");
      assert.deepEqual(
        [refused.code, refused.stderr],
        [1, "this needs root, for what is kept holds secrets: sudo pulumi-systemd-host status\n"],
      );
    });
  });

  test("rollback brings the state before: files, secrets, code, accounts, what runs; the rest is not touched", async () => {
    await onAll(async (host) => {
      const before = await invocations(host);
      assert.match(
        await told(host, "rollback --dry-run"),
        /would go from generation 2 back to 1 of .*:\n(.*\n)* {2}restart shop\.service: .*release shop changed/,
      );
      assert.deepEqual(differingUnits(before, await invocations(host)), []);
      const text = await told(host, "rollback --reason 'orders answer 500'");
      assert.match(text, /^\S+ is back on what generation 1 was; this is generation 3\.\n/);
      assert.match(text, /^Updates are held off until .* UTC; `pulumi-systemd-host resume` lets them in\.$/m);
      const index = fleet.hosts.indexOf(host);
      assert.deepEqual(listingChanges(listings[index]!, await listing(host, kept)), []);
      assert.deepEqual(differingUnits(before, await invocations(host)), [
        "legacy.service",
        "picky.service",
        "shop.service",
        "stopped newcomer.service",
      ]);
      assert.equal(await printed(host), "version 1\n");
      const { MainPID } = await shown(host, "shop.service", "MainPID");
      assert.match(
        await host.output(`tr '\\0' '\\n' < /proc/${MainPID}/environ`),
        new RegExp(`^TOKEN=${secretOf(1)}$`, "m"),
      );
    });
  });

  test("an update is then refused, and says who holds it, why, until when, and how it goes on", async () => {
    const run = await up(2, 299);
    assert.equal(run.code, 1, run.output);
    for (const { release } of fleet.hosts) {
      assert.match(
        diagnosis(run, release).told.join("\n"),
        new RegExp(
          `^pulumi-systemd/dev/${release} is held by deploy since .* UTC until .* UTC: "orders answer 500"\\. Nothing was changed on the host\\.\nNext: wait for its end, or run \`sudo pulumi-systemd-host resume\` on the host; then run \`pulumi up\` again\\.$`,
        ),
      );
    }
    await onAll(async (host) => {
      assert.match(await told(host, "resume"), /: updates are let in again\.\n$/);
    });
    const again = await up(2, 299);
    assert.equal(again.code, 0, again.output);
    await onAll(async (host) => assert.equal(await printed(host), "version 2\n"));
  });

  test("without a hold the same state is not brought back unasked, and a changed program is, with a warning", async () => {
    await onAll((host) => told(host, "rollback --no-hold --reason 'still broken'"));
    const same = await up(2, 298);
    assert.equal(same.code, 1, same.output);
    for (const { release } of fleet.hosts) {
      assert.match(
        diagnosis(same, release).told.join("\n"),
        /was rolled back on the host from generation 4 to \d by deploy on .* UTC: "still broken"\. This update asks for generation 4 again, unchanged, so it was refused/,
      );
    }
    const changed = await up(3, 298);
    assert.equal(changed.code, 0, changed.output);
    const [, diagnostics = ""] = changed.output.split(/^Diagnostics:$/m);
    assert.equal(diagnostics.match(/"still broken"; this update replaces that/g)?.length, fleet.hosts.length);
    await onAll(async (host) => {
      assert.equal(await printed(host), "version 3\n");
      assert.equal(JSON.parse(await told(host, "status --json")).scopes[0].rolledBack, null);
    });
  });

  test("a rollback to what does not come up any more says why, and leaves the host as it was", async () => {
    await onAll(async (host) => {
      await host.output(`rm ${needed}`);
      const before = await listing(host, [ledger, ...data]);
      const result = await command(host, "rollback 3");
      assert.equal(result.code, 1, result.stdout + result.stderr);
      assert.match(result.stderr, /picky\.service did not (stay|come) up/);
      assert.match(
        result.stderr,
        /The host is back on its previous state \(generation 6\).*\nNext: put right what is named above, then try again\.$/m,
      );
      assert.deepEqual(listingChanges(before, await listing(host, [ledger, ...data])), []);
      assert.equal((await shown(host, "newcomer.service", "ActiveState")).ActiveState, "active");
      assert.equal(await printed(host), "version 3\n");
      await host.writeFile(needed, "");
    });
  });

  test("a hold refuses a destroy too; destroy then leaves nothing, the command included", async () => {
    await onAll((host) => told(host, "hold 1h --reason 'moving the database'"));
    const run = await fleet.stack.destroy();
    assert.notEqual(run.code, 0, run.output);
    assert.equal(
      run.output.match(/this host is held by deploy since .*: "moving the database"\. Nothing was changed/g)?.length,
      fleet.hosts.length,
      run.output,
    );
    await onAll((host) => told(host, "resume"));
    await fleet.destroy(data);
  });
});
