import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogEntry } from "../../../activation/host-logs.ts";
import { type LogForm, logText } from "../../../cli/logs/log-text.ts";
import { byTime, OrderedMerge } from "../../../cli/logs/merged-logs.ts";
import { styleFor } from "../../../cli/terminal.ts";

const plain = styleFor(false, {});
const at = Date.parse("2026-11-21T19:40:08.123Z");

function entry(changes: Readonly<Record<string, unknown>> = {}): LogEntry {
  return {
    __CURSOR: "s=1",
    __REALTIME_TIMESTAMP: `${at}456`,
    MESSAGE: "ready",
    SYSLOG_IDENTIFIER: "api",
    _PID: "812",
    PRIORITY: "6",
    ...changes,
  };
}

const text = (changes: Readonly<Record<string, unknown>>, form: LogForm = "cat") =>
  logText("web1", entry(changes), form, plain);

test("each form is journalctl's, in the reader's time zone, with the stack's name of the host", () => {
  const zone = process.env.TZ;
  process.env.TZ = "Europe/Berlin";
  try {
    assert.equal(text({}, "short"), "Nov 21 20:40:08 web1 api[812]: ready");
    assert.equal(text({}, "short-iso"), "2026-11-21T20:40:08+0100 web1 api[812]: ready");
    assert.equal(text({}, "short-precise"), "Nov 21 20:40:08.123456 web1 api[812]: ready");
    assert.equal(
      text({ SYSLOG_IDENTIFIER: undefined, _COMM: "sh", _PID: undefined }, "short"),
      "Nov 21 20:40:08 web1 sh: ready",
    );
  } finally {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  }
  assert.equal(text({}), "ready");
  assert.deepEqual(JSON.parse(text({ _UID: "0" }, "json") ?? ""), {
    ...entry({ _UID: "0" }),
    PULUMI_SYSTEMD_HOST: "web1",
  });
});

test("further lines of a message stand below its first", () => {
  const [first = "", second = ""] = (text({ MESSAGE: "Traceback:\n  File" }, "short") ?? "").split("\n");
  assert.equal(second.length - second.trimStart().length, first.indexOf("Traceback") + 2);
});

test("what would steer the terminal is not shown, what is no text is counted, what has no message is left out", () => {
  assert.equal(text({ MESSAGE: "\x1b[31mred\x1b[0m" }), "red");
  assert.equal(text({ MESSAGE: "\x1b]0;title\x07" }), "[10B blob data]");
  assert.equal(text({ MESSAGE: [0xff, 0xfe] }), "[2B blob data]");
  assert.equal(text({ MESSAGE: ["first", "second"] }), "first");
  assert.equal(text({ MESSAGE: null }), undefined);
  assert.equal(text({ MESSAGE: undefined }), undefined);
});

test("colours by priority on a terminal alone", () => {
  const painted = (priority: string) => logText("web1", entry({ PRIORITY: priority }), "cat", styleFor(true, {}));
  assert.deepEqual(["3", "4", "6"].map(painted), ["\x1b[31mready\x1b[0m", "\x1b[33mready\x1b[0m", "ready"]);
});

const timed = (time: number) => entry({ __REALTIME_TIMESTAMP: String(time) });

test("journals are merged by time; each keeps its own order, and nothing waits for a host that is at its end", () => {
  const got: string[] = [];
  const merge = new OrderedMerge(["a", "b"], ({ host, entry: one }) => got.push(`${host}${one.__REALTIME_TIMESTAMP}`));
  merge.add("a", timed(10));
  merge.add("a", timed(30));
  assert.deepEqual(got, []);
  merge.add("b", timed(20));
  assert.deepEqual(got, ["a10", "b20"]);
  merge.add("b", timed(30));
  merge.add("b", timed(25));
  merge.end("a");
  merge.add("b", timed(40));
  merge.end("b");
  assert.deepEqual(got, ["a10", "b20", "a30", "b30", "b25", "b40"]);
});

test("a host that is far ahead waits for the others", async () => {
  const merge = new OrderedMerge(["a", "b"], () => undefined);
  let waits: Promise<void> | undefined;
  let count = 0;
  while (waits === undefined) {
    waits = merge.add("a", timed(10));
    count += 1;
    assert.ok(count <= 1000);
  }
  merge.add("b", timed(11));
  await waits;
});

test("of one time, entries stay as they came", () => {
  const all = [timed(2), timed(1), timed(2)].map((one, index) => ({ host: String(index), entry: one }));
  assert.deepEqual(
    byTime(all).map(({ host }) => host),
    ["1", "0", "2"],
  );
});
