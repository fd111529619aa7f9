import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { exampleConfig } from "./example.ts";
import { awaited, journalOf, shown } from "./facts.ts";
import { bootedFleet, type Fleet, testOnEachHost } from "./fleet.ts";

suite("examples/watchdog: a service that stops pinging", { timeout: 300_000 }, () => {
  let fleet: Fleet;
  before(async () => {
    fleet = await bootedFleet();
    const { pinging } = (await exampleConfig(fleet.stack, "watchdog")).pythonServices!;
    await fleet.deploy({
      pythonServices: {
        pinging: { ...pinging, watchdogSec: "2s", environment: { PINGS: "4" } },
        steady: {
          ...pinging,
          source: undefined,
          directory: "/opt/pinging/current",
          watchdogSec: "2s",
          environment: {},
        },
      },
    });
  });
  after(() => fleet?.down());

  testOnEachHost(
    "is killed by SIGABRT after WatchdogSec and restarted, and the journal says so",
    () => fleet,
    async (host) => {
      const steady = await shown(host, "steady.service", "InvocationID", "WatchdogUSec", "DynamicUser");
      assert.deepEqual({ ...steady, InvocationID: "" }, { InvocationID: "", WatchdogUSec: "2s", DynamicUser: "yes" });
      await awaited("pinging.service is up again after its watchdog", 40, async () => {
        const { NRestarts, SubState } = await shown(host, "pinging.service", "NRestarts", "SubState");
        return Number(NRestarts) >= 1 && SubState === "running";
      });

      const journal = await journalOf(host, "pinging.service");
      const first = journal.find((entry) => entry.message === "Test startup finished")!.invocation;
      const story = journal.filter((entry) => entry.invocation === first);
      const silent = story.find((entry) => entry.message === "Ping 4 was the last one")!;
      const timeout = story.find((entry) => entry.message.includes("Watchdog timeout (limit 2s)!"))!;
      assert.deepEqual(
        story
          .filter((entry) => entry.pid === "1" && entry.monotonic >= timeout.monotonic)
          .map((entry) => entry.message.replace(/^pinging\.service: /, "").replace(/\d+ \(.*\)/, "PID"))
          .slice(0, 4),
        [
          "Watchdog timeout (limit 2s)!",
          "Killing process PID with signal SIGABRT.",
          story.some((entry) => entry.message.includes("code=dumped"))
            ? "Main process exited, code=dumped, status=6/ABRT"
            : "Main process exited, code=killed, status=6/ABRT",
          "Failed with result 'watchdog'.",
        ],
      );
      assert.equal(story.find((entry) => entry.message.includes("Failed with result"))?.result, "watchdog");
      const silence = (timeout.monotonic - silent.monotonic) / 1e6;
      assert.ok(silence > 1.9 && silence < 8, `the watchdog ran out ${silence} s after the last ping`);
      assert.ok(journal.some((entry) => /Scheduled restart job, restart counter is at 1\./.test(entry.message)));

      const later = await shown(host, "pinging.service", "InvocationID", "ActiveState");
      assert.equal(later.ActiveState, "active");
      assert.notEqual(later.InvocationID, first);
    },
  );

  testOnEachHost(
    "one that goes on pinging is left alone",
    () => fleet,
    async (host) => {
      const { NRestarts, SubState, StatusErrno } = await shown(
        host,
        "steady.service",
        "NRestarts",
        "SubState",
        "StatusErrno",
      );
      assert.deepEqual({ NRestarts, SubState, StatusErrno }, { NRestarts: "0", SubState: "running", StatusErrno: "0" });
      const runs = new Set((await journalOf(host, "steady.service")).map((entry) => entry.invocation));
      assert.equal(runs.size, 1);
    },
  );

  test("destroy leaves nothing behind", () => fleet.destroy(["/var/lib/pinging", "/var/lib/steady"]));
});
