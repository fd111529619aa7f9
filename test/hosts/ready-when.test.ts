import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { SandboxHost } from "../../sandbox/host.ts";
import { bootedFleet, type Fleet, testOnEachHost } from "./fleet.ts";

const port = 9451;
const data = ["plain", "follower"].flatMap((name) => [`/var/lib/${name}`, `/var/lib/private/${name}`]);

suite("a program that cannot speak to systemd", { timeout: 400_000 }, () => {
  let fleet: Fleet;
  const config = (asked: number) => ({
    services: {
      plain: {
        // Up long after it was executed.
        exec: ["/bin/sh", "-c", `sleep 2; exec python3 -m http.server --bind 127.0.0.1 --directory /usr/share ${port}`],
        readyWhen: { http: { url: `http://127.0.0.1:${asked}/` }, timeoutSec: "1s" },
        watchdogSec: "4s",
        restartSec: "1s",
        timeoutStartSec: "15s",
      },
      // Fails unless the other answers when it starts.
      follower: {
        type: "oneshot",
        exec: ["/usr/bin/curl", "--silent", "--fail", "--output", "/dev/null", `http://127.0.0.1:${port}/`],
        requires: ["plain.service"],
        service: { RemainAfterExit: true },
      },
    },
  });
  const property = async (host: SandboxHost, name: string) =>
    (await host.output(`systemctl show --value --property=${name} plain.service`)).trim();

  before(async () => {
    fleet = await bootedFleet();
    await fleet.deploy(config(port));
  });
  after(() => fleet?.down());

  testOnEachHost(
    "is ready once it answers: what follows it finds it there; it stays the main process, without systemd's variables",
    () => fleet,
    async (host) => {
      assert.equal(await property(host, "ActiveState"), "active");
      assert.equal(await host.output("systemctl is-active follower.service"), "active\n");
      assert.match(await property(host, "StatusText"), /^well: GET http:\/\/127\.0\.0\.1:9451\//);
      const main = await property(host, "MainPID");
      assert.match(await host.output(`tr '\\0' ' ' < /proc/${main}/cmdline`), /^python3 -m http\.server /);
      assert.doesNotMatch(await host.output(`cat /proc/${main}/environ`), /NOTIFY_SOCKET|WATCHDOG/);
    },
  );

  testOnEachHost(
    "is killed and started again when it stops answering, and is left alone while it answers",
    () => fleet,
    async (host) => {
      const before = await property(host, "MainPID");
      // Longer than the watchdog.
      await host.output("sleep 6");
      assert.equal(await property(host, "MainPID"), before);
      await host.output(`kill -STOP ${before}`);
      await host.output(
        `for n in $(seq 60); do sleep 0.5; s=$(systemctl show --value --property=MainPID plain.service); [ "$s" != ${before} ] && [ "$(systemctl is-active plain.service)" = active ] && exit 0; done; systemctl status plain.service; exit 1`,
      );
      assert.equal(await property(host, "NRestarts"), "1");
      assert.match(await host.output("journalctl --no-pager --unit plain.service"), /Watchdog timeout/);
    },
  );

  test("that never answers fails the update with the last answer, and the host is back", async () => {
    const run = await fleet.tried(config(port + 1));
    assert.notEqual(run.code, 0);
    assert.match(run.output, /plain\.service/);
    assert.match(run.output, /The host is back on its previous state \(generation 1\)/);
    for (const host of fleet.hosts) {
      assert.match(await host.output("journalctl --no-pager --unit plain.service"), /start operation timed out/i);
      assert.equal(await property(host, "ActiveState"), "active");
    }
  });

  test("goes with destroy", () => fleet.destroy(data));
});
