import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { SandboxHost } from "../../sandbox/host.ts";
import { exampleConfig } from "./example.ts";
import { awaited, journalOf, shown } from "./facts.ts";
import { bootedFleet, type Fleet, testOnEachHost } from "./fleet.ts";

suite("examples/bot: a bot that is always restarted, and its routine on a timer", { timeout: 300_000 }, () => {
  let fleet: Fleet;
  before(async () => {
    fleet = await bootedFleet();
    const { pythonServices, timers } = await exampleConfig(fleet.stack, "bot");
    const { pythonService, ...timer } = timers!["namebot-packages"]!;
    await fleet.deploy({
      pythonServices,
      timers: {
        "namebot-packages": {
          ...timer,
          onActiveSec: "3s",
          onUnitInactiveSec: "2s",
          pythonService: { ...Object(pythonService), environment: { CARRIER_SEC: "1.5" } },
        },
      },
    });
  });
  after(() => fleet?.down());

  testOnEachHost(
    "the bot answers, and keeps what it is told",
    () => fleet,
    async (host) => {
      assert.equal(await asked(host, "/track BR123"), "BR123: not asked yet");
      assert.equal(await asked(host, "/package BR999"), "BR999: unknown");
    },
  );

  for (const [signal, ending] of [
    ["TERM", { Result: "success", said: "Deactivated successfully." }],
    ["KILL", { Result: "signal", said: "Failed with result 'signal'." }],
  ] as const) {
    testOnEachHost(
      `the bot is back 10 s after an end by SIG${signal}`,
      () => fleet,
      async (host) => {
        const before = await shown(host, "namebot.service", "MainPID", "NRestarts", "InvocationID");
        assert.equal(await asked(host, "/start"), `Hello! I am NameBot, process ${before.MainPID}.`);
        await host.output(`kill -${signal} ${before.MainPID}`);
        const between = await awaited("namebot.service waits for its restart", 5, async () => {
          const state = await shown(host, "namebot.service", "SubState", "Result");
          return state.SubState === "auto-restart" && state;
        });
        assert.equal(between.Result, ending.Result);
        const then = await awaited("namebot.service runs again", 20, async () => {
          const state = await shown(host, "namebot.service", "SubState", "MainPID", "NRestarts", "InvocationID");
          return state.SubState === "running" && state;
        });
        assert.equal(Number(then.NRestarts), Number(before.NRestarts) + 1);
        const journal = await journalOf(host, "namebot.service");
        const ended = journal.findLast(
          (entry) =>
            entry.invocation === before.InvocationID &&
            /^namebot.service: (Deactivated|Succeeded|Failed)/.test(entry.message),
        );
        assert.ok(ended !== undefined);
        const started = journal.find(
          (entry) => entry.invocation === then.InvocationID && entry.message.startsWith("Started "),
        );
        assert.ok(started !== undefined);
        const pause = (started.monotonic - ended.monotonic) / 1e6;
        assert.ok(pause > 9.9 && pause < 20, `${pause} s from its end to its start`);
        assert.equal(await asked(host, "/start"), `Hello! I am NameBot, process ${then.MainPID}.`);
      },
    );
  }

  testOnEachHost(
    "the routine runs again a fixed pause after its own end, never beside itself",
    () => fleet,
    async (host) => {
      await awaited("four runs of the routine", 40, async () => (await runs(host)).length >= 4);
      const all = await runs(host);
      for (const [index, run] of all.slice(1).entries()) {
        const pause = run.begin - all[index]!.end;
        assert.ok(pause > 1.9 && pause < 10, `${pause} s from the end of run ${index + 1} to the next`);
      }
      assert.equal(await asked(host, "/package BR123"), "BR123: delivered");

      const { NRestarts, Type, Restart } = await shown(
        host,
        "namebot-packages.service",
        "NRestarts",
        "Type",
        "Restart",
      );
      assert.deepEqual({ NRestarts, Type, Restart }, { NRestarts: "0", Type: "oneshot", Restart: "no" });
      const journal = await journalOf(host, "namebot-packages.service");
      assert.ok(!journal.some((entry) => entry.message.includes("restart")), "systemd restarted the routine");
    },
  );

  test("destroy leaves nothing behind", () => fleet.destroy(["/var/lib/namebot"]));
});

/** What the bot answers to one line. */
async function asked(host: SandboxHost, line: string): Promise<string> {
  const program = `import socket
with socket.create_connection(("127.0.0.1", 7000), 5) as bot:
    bot.sendall(b"${line}\\n")
    print(bot.makefile().readline(), end="")`;
  const answer = await awaited(`an answer to ${line}`, 10, async () => {
    const run = await host.run("python3 -", { stdin: program });
    return run.code === 0 && run.stdout;
  });
  return answer.trim();
}

/** Begin and end of each run of the routine, in seconds since the host booted, by its own word. */
async function runs(host: SandboxHost): Promise<{ begin: number; end: number }[]> {
  const journal = await journalOf(host, "namebot-packages.service");
  return journal.flatMap((entry) => {
    const [, begin, end] = /^asked about \d+ packages, from ([\d.]+) to ([\d.]+)$/.exec(entry.message) ?? [];
    return begin === undefined ? [] : [{ begin: Number(begin), end: Number(end) }];
  });
}
