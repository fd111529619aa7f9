import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { SandboxHost } from "../../sandbox/host.ts";
import { exampleConfig } from "./example.ts";
import { awaited, journalOf, shown } from "./facts.ts";
import { bootedFleet, type Fleet, testOnEachHost } from "./fleet.ts";

suite("examples/unit-kinds: the kinds of unit of a tutorial", { timeout: 300_000 }, () => {
  let fleet: Fleet;
  before(async () => {
    fleet = await bootedFleet(withDesk);
    await fleet.deploy(await exampleConfig(fleet.stack, "unit-kinds"));
  });
  after(() => fleet?.down());

  testOnEachHost(
    "Type=dbus: it is up with its name, and the bus starts it by its alias",
    () => fleet,
    async (host) => {
      const desk = await shown(host, "desk.service", "Type", "SubState", "MainPID", "BusName", "Names", "User");
      assert.deepEqual(
        { ...desk, Names: desk.Names.split(" ").sort() },
        {
          Type: "dbus",
          SubState: "running",
          MainPID: desk.MainPID,
          BusName: "org.example.Desk",
          Names: ["dbus-org.example.Desk.service", "desk.service"],
          User: "desk",
        },
      );
      assert.equal(await greeting(host), `s "Good day, Ada, says process ${desk.MainPID}"\n`);

      await host.output("systemctl stop desk.service");
      const answer = await greeting(host);
      const started = await shown(host, "dbus-org.example.Desk.service", "Id", "SubState", "MainPID");
      assert.deepEqual(started, { Id: "desk.service", SubState: "running", MainPID: started.MainPID });
      assert.notEqual(started.MainPID, desk.MainPID);
      assert.equal(answer, `s "Good day, Ada, says process ${started.MainPID}"\n`);
    },
  );

  testOnEachHost(
    "Type=forking: the process is the one in PIDFile",
    () => fleet,
    async (host) => {
      const facts = ["Type", "SubState", "MainPID", "PIDFile"] as const;
      const spooler = await shown(host, "spooler.service", ...facts);
      assert.deepEqual(spooler, {
        Type: "forking",
        SubState: "running",
        MainPID: spooler.MainPID,
        PIDFile: "/run/spooler/spooler.pid",
      });
      assert.equal(await host.output("cat /run/spooler/spooler.pid"), `${spooler.MainPID}\n`);
      await host.output(`kill -KILL ${spooler.MainPID}`);
      const again = await awaited("another daemon", 15, async () => {
        const state = await shown(host, "spooler.service", ...facts);
        return state.SubState === "running" && state.MainPID !== spooler.MainPID && state;
      });
      assert.equal(await host.output("cat /run/spooler/spooler.pid"), `${again.MainPID}\n`);
    },
  );

  testOnEachHost(
    "Type=oneshot with RemainAfterExit: active without a process, until it is stopped",
    () => fleet,
    async (host) => {
      const warmup = await shown(host, "warmup.service", "Type", "ActiveState", "SubState", "MainPID");
      assert.deepEqual(warmup, { Type: "oneshot", ActiveState: "active", SubState: "exited", MainPID: "0" });
      assert.equal(await host.output("cat /var/cache/warmup/warm"), "warm\n");
      await host.output("systemctl stop warmup.service");
      assert.equal((await host.run("test -e /var/cache/warmup/warm")).code, 1);
      assert.equal((await shown(host, "warmup.service", "Result")).Result, "success");
    },
  );

  testOnEachHost(
    "ExecStartPre, ExecStartPost, ExecStop and ExecStopPost run in their order",
    () => fleet,
    async (host) => {
      const stages = () => host.output("cat /var/lib/stages/stages");
      assert.equal(await stages(), "before\nmain\nafter\n");
      await host.output("systemctl stop stages.service");
      assert.equal(await stages(), "before\nmain\nafter\nstopping\nend of main\nstopped\n");
      assert.equal((await shown(host, "stages.service", "Result")).Result, "success");
    },
  );

  testOnEachHost(
    "Requisite: refused while the other is down, and the other stays down",
    () => fleet,
    async (host) => {
      await host.output("systemctl stop stages.service");
      const refused = await host.run("systemctl start reader.service");
      assert.notEqual(refused.code, 0);
      assert.deepEqual(await states(host, "reader.service", "stages.service"), ["inactive", "inactive"]);
      await host.output("systemctl start stages.service");
      await host.output("systemctl start reader.service");
      assert.deepEqual(await states(host, "reader.service", "stages.service"), ["active", "active"]);
    },
  );

  testOnEachHost(
    "Conflicts: the start of one stops the other",
    () => fleet,
    async (host) => {
      assert.deepEqual(await states(host, "day.service", "night.service"), ["active", "inactive"]);
      await host.output("systemctl start night.service");
      assert.deepEqual(await states(host, "day.service", "night.service"), ["inactive", "active"]);
      await host.output("systemctl start day.service");
      assert.deepEqual(await states(host, "day.service", "night.service"), ["active", "inactive"]);
    },
  );

  testOnEachHost(
    "SuccessExitStatus: 8 and SIGKILL are good ends, 3 is a failure",
    () => fleet,
    async (host) => {
      for (const [signal, ending] of [
        ["USR1", { ActiveState: "inactive", Result: "success", ExecMainCode: "1", ExecMainStatus: "8" }],
        ["KILL", { ActiveState: "inactive", Result: "success", ExecMainCode: "2", ExecMainStatus: "9" }],
      ] as const) {
        await host.output(
          `systemctl start downloader.service; systemctl kill --signal=SIG${signal} downloader.service`,
        );
        const ended = await awaited("its end", 10, async () => {
          const state = await shown(
            host,
            "downloader.service",
            "ActiveState",
            "Result",
            "ExecMainCode",
            "ExecMainStatus",
          );
          return state.ActiveState !== "active" && state.ActiveState !== "deactivating" && state;
        });
        assert.deepEqual(ended, ending);
      }
      assert.equal((await shown(host, "downloader.service", "NRestarts")).NRestarts, "0");

      await host.output("systemctl start downloader.service; systemctl kill --signal=SIGUSR2 downloader.service");
      await awaited("a restart", 10, async () => {
        const state = await shown(host, "downloader.service", "NRestarts", "SubState");
        return state.NRestarts === "1" && state.SubState === "running";
      });
      const journal = await journalOf(host, "downloader.service");
      assert.deepEqual(
        journal.filter(({ message }) => message.includes("Failed with result")).map(({ message }) => message),
        ["downloader.service: Failed with result 'exit-code'."],
      );
    },
  );

  test("destroy leaves nothing behind", () =>
    fleet.destroy([
      "/var/cache/private",
      "/var/cache/warmup",
      "/var/lib/downloader",
      "/var/lib/desk",
      "/var/lib/spooler",
      "/var/lib/warmup",
      "/var/lib/stages",
      "/var/lib/reader",
      "/var/lib/day",
      "/var/lib/night",
    ]));
});

const dbus = join(import.meta.dirname, "..", "..", "examples", "unit-kinds", "dbus");

/** What the package of the desk would bring: its account, its policy on the bus, and its name there. */
async function withDesk(host: SandboxHost): Promise<void> {
  await host.output("useradd --system --no-create-home desk");
  for (const [file, path] of [
    ["org.example.Desk.conf", "/etc/dbus-1/system.d"],
    ["org.example.Desk.service", "/usr/share/dbus-1/system-services"],
  ] as const) {
    await host.writeFile(`${path}/${file}`, readFileSync(join(dbus, file)));
  }
  await host.output("busctl call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus ReloadConfig");
}

async function greeting(host: SandboxHost): Promise<string> {
  return await host.output("busctl call org.example.Desk /org/example/Desk org.example.Desk Greet s Ada");
}

async function states(host: SandboxHost, ...units: string[]): Promise<string[]> {
  return await Promise.all(units.map(async (unit) => (await shown(host, unit, "ActiveState")).ActiveState));
}
