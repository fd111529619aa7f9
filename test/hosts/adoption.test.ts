import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { renderedUnit } from "../../components/unit.ts";
import type { SandboxHost } from "../../sandbox/host.ts";
import { diagnosis } from "./diagnosis.ts";
import { shown } from "./facts.ts";
import { bootedFleet, type Fleet } from "./fleet.ts";
import { differingUnits, invocations } from "./invocations.ts";
import { allChangesSince, observedAll, onEach, untouched, uploads } from "./observation.ts";
import { connectionOf, type TestStack, testStack } from "./stack.ts";

const etc = "/etc/systemd/system";
const password = "hunter22-of-somebody";
const sleeper = (seconds: number) => ({
  Service: { ExecStart: `/bin/sleep ${seconds}` },
  Install: { WantedBy: ["multi-user.target"] },
});
/** What the stack wants; the seconds tell whose definition runs. */
const wanted = {
  "theirs.service": sleeper(1001),
  "idle.service": sleeper(1002),
  "equal.service": sleeper(1003),
  "packaged.service": sleeper(1004),
  "masked.service": sleeper(1005),
  "theirs.timer": { Timer: { OnCalendar: "*-01-01 03:00:00", Unit: "theirs.service" }, ...installed("timers.target") },
};
const names = Object.keys(wanted);
const adopt = names.filter((name) => name !== "equal.service");

function installed(target: string) {
  return { Install: { WantedBy: [target] } };
}

/** Units that somebody else made, in every state that one can be found in. */
async function withForeignUnits(host: SandboxHost): Promise<void> {
  const unit = (seconds: number, more = "") =>
    `[Service]\nExecStart=/bin/sleep ${seconds}\nEnvironment=PASSWORD=${password}\n[Install]\nWantedBy=multi-user.target\n${more}`;
  await host.writeFile(`${etc}/theirs.service`, unit(2001, "Alias=theirs-too.service\n"), 0o640);
  await host.writeFile(`${etc}/theirs.service.d/override.conf`, "[Service]\nNice=7\n");
  await host.writeFile(
    `${etc}/theirs.timer`,
    "[Timer]\nOnCalendar=*-06-01 04:00:00\n[Install]\nWantedBy=timers.target\n",
  );
  await host.writeFile(`${etc}/idle.service`, unit(2002));
  await host.writeFile(`${etc}/equal.service`, renderedUnit("equal.service", wanted["equal.service"]).text);
  await host.writeFile("/usr/lib/systemd/system/packaged.service", unit(2004));
  // Debian's own services have one beside their unit, and systemctl then moves its links as well.
  const script =
    "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: packaged\n# Default-Start: 2 3 4 5\n# Default-Stop: 0 1 6\n### END INIT INFO\n";
  await host.writeFile("/etc/init.d/packaged", script, 0o755);
  await host.writeFile("/usr/lib/systemd/system/masked.service", unit(2005));
  await host.writeFile("/etc/pulumi-systemd/beside.env", `TOKEN=${password}\n`, 0o604);
  await host.output(`
    chown deploy:deploy ${etc}/theirs.service /etc/pulumi-systemd/beside.env
    touch -d 2020-02-02 ${etc}/theirs.service ${etc}/equal.service /etc/pulumi-systemd/beside.env
    systemctl daemon-reload
    systemctl enable --now theirs.service theirs.timer equal.service packaged.service
    systemctl mask masked.service`);
}

/** Whose definition each unit runs, and how it is enabled. */
async function found(host: SandboxHost): Promise<Record<string, string>> {
  const told = names.map(async (name) => {
    const { ActiveState, UnitFileState, FragmentPath, ExecStart, NeedDaemonReload } = await shown(
      host,
      name,
      "ActiveState",
      "UnitFileState",
      "FragmentPath",
      "ExecStart",
      "NeedDaemonReload",
    );
    const seconds = /argv\[\]=\/bin\/sleep (\d+)/.exec(ExecStart)?.[1] ?? "";
    return [
      name,
      `${ActiveState} ${UnitFileState} ${FragmentPath.replace(/^\/usr/, "")} ${seconds} ${NeedDaemonReload}`,
    ];
  });
  return Object.fromEntries(await Promise.all(told));
}

suite("what others made on a host", { timeout: 400_000 }, () => {
  let fleet: Fleet;
  let other: TestStack;
  let states: Record<string, string>[];
  const config = {
    units: wanted,
    services: { beside: { exec: ["/bin/sleep", "1006"] } },
  };
  const secrets = { "services.beside.secretEnvironment.TOKEN": "a-secret-of-ours" };
  const configured = (hosts: object) => fleet.stack.configure({ ...config, hosts }, secrets);
  const withAdopt = () =>
    onEach(fleet.hosts, (host) => ({
      connection: connectionOf(host),
      adopt: [...adopt, "/etc/pulumi-systemd/beside.env"],
    }));

  before(async () => {
    fleet = await bootedFleet(withForeignUnits);
    other = await testStack("other");
    states = await Promise.all(fleet.hosts.map(found));
  });
  after(async () => {
    other?.remove();
    await fleet?.down();
  });

  test("is an error that says what differs and how to take it over, and nothing is touched", async () => {
    const before = await observedAll(fleet.hosts, [uploads]);
    const run = await fleet.tried(config, secrets);
    assert.equal(run.code, 1, run.output);
    assert.doesNotMatch(run.output, new RegExp(`${password}|a-secret-of-ours`));
    const others = ["idle.service", "masked.service", "packaged.service", "theirs.service", "theirs.timer"];
    const paths = ["/etc/pulumi-systemd/beside.env", ...others.map((name) => `${etc}/${name}`)]
      .map((path) => JSON.stringify(path))
      .join(", ");
    for (const host of fleet.hosts) {
      const lib = (await shown(host, "packaged.service", "FragmentPath")).FragmentPath;
      const differing = "[Service] ExecStart= differ; only on the host: [Service] Environment=";
      const there = (path: string) => `  ${path} is already there and was not written by this scope:`;
      assert.deepEqual(diagnosis(run, host.release).told, [
        "these are not this scope's to change; nothing was changed on the host:",
        `${there("/etc/pulumi-systemd/beside.env")} its content differs`,
        `${there(`${etc}/idle.service`)} ${differing}`,
        `${there(`${etc}/masked.service`)} it masks the unit`,
        `  packaged.service is already defined by ${lib} (a package's) on this host`,
        `${there(`${etc}/theirs.service`)} ${differing.replace("[Service] Env", "[Install] Alias=, [Service] Env")}`,
        `${there(`${etc}/theirs.timer`)} [Timer] OnCalendar= differ; only wanted: [Timer] Unit=`,
        `Next: rename what is yours; or take it over with \`adopt: [${paths}]\` on the Host, which keeps what is there and gives it back when it leaves the program.`,
      ]);
    }
    assert.deepEqual(await allChangesSince(before), onEach(fleet.hosts, { ...untouched, logins: 2 }));
  });

  test("... and is taken over where `adopt` names it; what is equal is not restarted", async () => {
    const before = await Promise.all(fleet.hosts.map(invocations));
    await configured(withAdopt());
    const run = await fleet.stack.up();
    assert.equal(run.code, 0, run.output);
    assert.match(run.output, /theirs\.service has drop-ins that are not of this scope and stay: .*override\.conf/);
    for (const [index, host] of fleet.hosts.entries()) {
      const now = await invocations(host);
      const started = differingUnits(before[index]!, now);
      assert.deepEqual(started, ["beside.service", ...names.filter((name) => name !== "equal.service")].sort());
      const facts = await found(host);
      const running = (name: string, seconds: string) => `active enabled ${etc}/${name} ${seconds} no`;
      assert.deepEqual(
        facts,
        Object.fromEntries(
          names.map((name, place) => [name, running(name, name.endsWith(".timer") ? "" : String(1001 + place))]),
        ),
      );
      assert.equal((await shown(host, "theirs.service", "Nice")).Nice, "7");
      assert.equal(
        await host.output("find /var/lib/pulumi-systemd -not -user root -o -perm /077 -type f -o -perm /077 -type d"),
        "",
      );
    }
  });

  test("another stack on the same hosts keeps apart: what the first has is an error that names it", async () => {
    const hosts = Object.fromEntries(fleet.hosts.map((host) => [host.release, { connection: connectionOf(host) }]));
    await other.configure({ hosts, units: { "theirs.service": sleeper(3001) }, services: {} });
    const refused = await other.up();
    assert.equal(refused.code, 1, refused.output);
    for (const host of fleet.hosts) {
      assert.deepEqual(diagnosis(refused, host.release).told, [
        "these are not this scope's to change; nothing was changed on the host:",
        `  ${etc}/theirs.service belongs to pulumi-systemd/dev/${host.release}, another scope on this host`,
      ]);
    }
    const own = { own: { exec: ["/bin/sleep", "3002"] } };
    await other.configure({ hosts, services: own }, { "services.own.secretEnvironment.TOKEN": "of the other stack" });
    const run = await other.up();
    assert.equal(run.code, 0, run.output);
  });

  test("destroy gives everything back as it was found, and leaves the other stack's alone", async () => {
    const before = await Promise.all(fleet.hosts.map(invocations));
    const run = await fleet.stack.destroy();
    assert.equal(run.code, 0, run.output);
    for (const [index, host] of fleet.hosts.entries()) {
      assert.deepEqual(await found(host), states[index], host.release);
      const started = differingUnits(before[index]!, await invocations(host));
      assert.deepEqual(
        started,
        [
          "packaged.service",
          "stopped beside.service",
          "stopped idle.service",
          "stopped masked.service",
          "theirs.service",
          "theirs.timer",
        ],
        host.release,
      );
      const dates = await host.output(
        `stat -c '%n %y %a %U' ${etc}/theirs.service ${etc}/equal.service /etc/pulumi-systemd/beside.env`,
      );
      assert.equal(dates.match(/ 2020-02-02 /g)?.length, 3, dates);
      assert.equal((await shown(host, "own.service", "ActiveState")).ActiveState, "active");
    }
  });

  test("when the last stack goes, the hosts are as before the first", async () => {
    const run = await other.destroy();
    assert.equal(run.code, 0, run.output);
    await fleet.destroy(["/var/lib/beside", "/var/lib/own"]);
  });
});
