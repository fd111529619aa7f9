import assert from "node:assert/strict";
import { test } from "node:test";
import { plannedTimers } from "../../../cli/schedule/planned-timer.ts";
import { scheduleNotes } from "../../../cli/schedule/schedule-notes.ts";
import { weekPicture } from "../../../cli/schedule/week-picture.ts";
import type { StackHost } from "../../../cli/stack/stack-hosts.ts";
import { parseUnitFile, unitModel } from "../../../systemd/unit-file.ts";

const window = { from: new Date("2026-03-27T12:00:00Z"), timeZone: "Europe/Berlin", count: 2 };

function host(name: string, timers: Readonly<Record<string, string>>): StackHost {
  const units = Object.entries(timers).map(([timer, lines]) => {
    const text = `[Timer]\n${lines}\n`;
    return { name: timer, text, model: unitModel(parseUnitFile(text)), urn: undefined, definedBy: undefined };
  });
  const none = { urn: "", scope: "", address: undefined, bundle: undefined, connection: undefined, unknown: [] };
  return { ...none, name, units };
}

const nightly = "OnCalendar=*-*-* 02:30:00\nRandomizedDelaySec=10min\nPersistent=true\nUnit=backup.service";

test("a timer that several hosts have word by word the same is told once", () => {
  const timers = plannedTimers(
    [host("web2", { "nightly.timer": nightly }), host("web1", { "nightly.timer": nightly })],
    window,
  );
  assert.equal(timers.length, 1);
  const [{ week, ...timer }] = timers as [(typeof timers)[0]];
  assert.deepEqual(timer, {
    timer: "nightly.timer",
    hosts: ["web1", "web2"],
    starts: "backup.service",
    onCalendar: ["*-*-* 02:30:00"],
    onEvent: [],
    jitterSec: 600,
    fixedJitter: false,
    persistent: true,
    next: ["2026-03-28T01:30:00.000Z", "2026-03-30T00:30:00.000Z"],
    clockChanges: [
      { onCalendar: "*-*-* 02:30:00", timeZone: "Europe/Berlin", effect: "skipped", wallClock: "2026-03-29 02:30:00" },
      { onCalendar: "*-*-* 02:30:00", timeZone: "Europe/Berlin", effect: "repeated", wallClock: "2026-10-25 02:30:00" },
    ],
  });
  assert.equal(week.length, 6);
});

test("an empty assignment takes back those before it; what counts from an event has no time", () => {
  const [timer] = plannedTimers(
    [
      host("web1", {
        "a.timer": "OnCalendar=daily\nOnCalendar=\nOnBootSec=15min\nOnUnitActiveSec=1h\nOnClockChange=yes",
      }),
    ],
    window,
  );
  assert.deepEqual(timer?.onCalendar, []);
  assert.deepEqual(timer?.onEvent, ["OnBootSec=15min", "OnUnitActiveSec=1h", "OnClockChange=yes"]);
  assert.deepEqual([timer?.starts, timer?.next, timer?.week], ["a.service", [], []]);
});

test("what is worth a second look", () => {
  const timers = plannedTimers(
    [
      host("web1", { "nightly.timer": nightly, "again.timer": "OnCalendar=04:00\nUnit=backup.service" }),
      host("web2", { "nightly.timer": nightly, "over.timer": "OnCalendar=2020-01-01" }),
      host("web3", { "again.timer": "OnCalendar=04:00\nUnit=backup.service" }),
    ],
    window,
  );
  assert.deepEqual(
    scheduleNotes(timers).map(({ message }) => message),
    [
      "nightly.timer (*-*-* 02:30:00): 2026-03-29 02:30:00 Europe/Berlin does not exist there, so that run is left out; write UTC behind it, or another hour",
      "nightly.timer (*-*-* 02:30:00): 2026-10-25 02:30:00 Europe/Berlin comes twice there, and the first counts",
      "over.timer never elapses again: all its times are over",
      "again.timer and nightly.timer start the same backup.service on web1: of two runs at a time, one takes place",
      "again.timer fires on 2 hosts in the same second; randomizedDelaySec spreads them",
      "nightly.timer fires on 2 hosts within 10 min, on average one every 5 min",
    ],
  );
});

test("the picture of a week has a tick for each elapse, a band for what is too dense, and no markup of a name", () => {
  const timers = plannedTimers(
    [host("<web>", { "nightly.timer": nightly, "often.timer": "OnCalendar=*:*", "boot.timer": "OnBootSec=1min" })],
    window,
  );
  const svg = weekPicture(timers, window.from, window.timeZone);
  assert.equal(svg.match(/class="tick"/g)?.length, 6);
  assert.equal(svg.match(/class="band"/g)?.length, 1);
  assert.match(svg, />OnBootSec=1min</);
  assert.ok(!svg.includes("<web>"));
  assert.equal(svg, weekPicture(timers, window.from, window.timeZone));
});
