import assert from "node:assert/strict";
import { test } from "node:test";
import { unitDigests } from "../../activation/digests.ts";

const base = `[Unit]
Description=Orders
After=network.target

[Service]
ExecStart=/usr/bin/python3 -m orders
Restart=on-failure
Environment=A=1
Environment=B=2

[Install]
WantedBy=multi-user.target
`;

const differing = (text: string) => {
  const [before, after] = [unitDigests(base), unitDigests(text)];
  return (["file", "restart", "reload", "install"] as const).filter((key) => before[key] !== after[key]);
};

const cases: readonly [string, string, readonly string[]][] = [
  ["the same text", base, []],
  ["a comment", `# hello\n${base}`, ["file"]],
  ["a description", base.replace("Description=Orders", "Description=Sales"), ["file"]],
  ["the order of units", base.replace("After=network.target", "After=redis.service"), ["file"]],
  ["when it restarts", base.replace("on-failure", "always"), ["file"]],
  ["a stop timeout added", base.replace("Restart=", "TimeoutStopSec=5\nRestart="), ["file"]],
  ["what a late start gets", base.replace("Restart=", "TimeoutStartFailureMode=kill\nRestart="), ["file"]],
  ["what a late stop gets", base.replace("Restart=", "TimeoutStopFailureMode=abort\nRestart="), ["file"]],
  ["its program", base.replace("-m orders", "-m sales"), ["file", "restart"]],
  ["a variable", base.replace("A=1", "A=3"), ["file", "restart"]],
  [
    "the order of assignments to one key",
    base.replace("A=1", "X=0").replace("B=2", "A=1").replace("X=0", "B=2"),
    ["file", "restart"],
  ],
  [
    "the order of two keys",
    base.replace("Restart=on-failure\n", "").replace("ExecStart", "Restart=on-failure\nExecStart"),
    ["file"],
  ],
  ["a directive that nobody knows yet", base.replace("Restart=", "FutureSandbox=yes\nRestart="), ["file", "restart"]],
  ["what pulls it in", base.replace("multi-user", "graphical"), ["file", "install"]],
  ["no [Install] at all", base.slice(0, base.indexOf("[Install]")), ["file", "install"]],
  ["a trigger of a restart", base.replace("[Install]", "X-Pulumi-Restart-Trigger=1\n\n[Install]"), ["file", "restart"]],
  ["a trigger of a reload", base.replace("[Install]", "X-Pulumi-Reload-Trigger=1\n\n[Install]"), ["file", "reload"]],
  ["a note that systemd ignores", base.replace("[Install]", "X-Owner=me\n\n[Install]"), ["file"]],
];

for (const [what, text, expected] of cases) {
  test(`${what}: ${expected.join(" and ") || "nothing"} differs`, () => {
    assert.deepEqual(differing(text), expected);
  });
}
