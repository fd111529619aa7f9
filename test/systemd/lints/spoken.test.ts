import assert from "node:assert/strict";
import { test } from "node:test";
import { lintUnitTexts } from "../../../systemd/lints/lint-units.ts";
import { rules, serviceRules, unitTextsOf } from "./unit-texts.ts";

const spoken: Readonly<Record<string, readonly [lines: string, ...found: string[]]>> = {
  "families that a deny list takes": [
    "Type=notify\nRestrictAddressFamilies=~AF_UNIX\nExecStart=/opt/run",
    "error notify-without-af-unix",
  ],
  "no families at all": [
    "Type=notify\nRestrictAddressFamilies=none\nExecStart=/opt/run",
    "error notify-without-af-unix",
  ],
  "a watchdog of a simple service": [
    "WatchdogSec=5s\nRestart=on-failure\nRestrictAddressFamilies=AF_INET\nExecStart=/opt/run",
    "error notify-without-af-unix",
  ],
  "Restart= that does not cover a watchdog": [
    "WatchdogSec=5s\nRestart=on-success\nExecStart=/opt/run",
    "warning watchdog-without-restart",
  ],
  "an inherited sandbox of a dynamic user": [
    "DynamicUser=yes\nExecStart=/usr/bin/sudo /opt/run",
    "error no-new-privileges-sudo",
    "warning sudo-in-command",
  ],
  "sudo within a script": [
    'User=x\nNoNewPrivileges=yes\nExecStart=/bin/sh -c "cd /opt && sudo ./run"',
    "error no-new-privileges-sudo",
    "warning sudo-in-command",
  ],
  "a working directory that is hidden": [
    "ProtectHome=yes\nUser=x\nWorkingDirectory=/home/x\nExecStart=/opt/run",
    "error protect-home-hides-path",
  ],
  "an interpreter behind env": [
    "ProtectHome=yes\nUser=x\nExecStart=/usr/bin/env A=b /home/x/venv/bin/python -m y",
    "error protect-home-hides-path",
  ],
  "a bind below ProtectHome=yes": [
    "ProtectHome=yes\nUser=x\nBindReadOnlyPaths=/home/x/app\nExecStart=/opt/run",
    "warning protect-home-hides-path",
  ],
  "a PID file in a private /tmp": [
    "Type=forking\nPrivateTmp=yes\nPIDFile=/tmp/x.pid\nExecStart=/opt/run",
    "warning private-tmp-hides-path",
  ],
  "a redirection that hangs together": ["ExecStart=/opt/run 2>/dev/null", "error shell-syntax"],
  "a list behind a script without quotes": [
    "ExecStart=/bin/sh -c cd /opt && ./run",
    "error shell-syntax",
    "warning shell-script-not-quoted",
  ],
  backticks: ["ExecStart=/opt/run --name `hostname`", "error command-substitution"],
  "an executable that ends in a semicolon": ["Type=oneshot\nExecStart=/opt/a; /opt/b", "error shell-syntax"],
  "a script's own variable": [
    "Type=oneshot\nExecStart=/bin/sh -c 'for i in 1 2; do echo ${i}; done'",
    "warning undefined-variable",
  ],
  "a password in a URL": [
    "Environment=DATABASE=postgres://u:secret@db/x\nExecStart=/opt/run",
    "warning secret-in-environment",
  ],
  "a password as the next word": ["ExecStart=/opt/run --api-key abcdef123456", "warning secret-in-command"],
  "an old form of the start limit": [
    "Restart=always\nRestartSec=1s\nStartLimitInterval=60\nStartLimitBurst=3\nExecStart=/opt/run",
    "warning start-limit-outside-unit",
    "warning start-limit-outside-unit",
  ],
  "a pause that uses up the interval": [
    "Restart=always\nRestartSec=20s\nStartLimitInterval=60\nStartLimitBurst=3\nExecStart=/opt/run",
    "warning start-limit-outside-unit",
    "warning start-limit-never-trips",
    "warning start-limit-outside-unit",
  ],
  "MemoryDenyWriteExecute with ctypes": [
    'MemoryDenyWriteExecute=yes\nUser=x\nExecStart=/usr/bin/python3 -u -c "import ctypes"',
    "warning memory-deny-write-execute",
  ],
  "a venv of a user as root": [
    "ExecStart=/home/ubuntu/venv/bin/python -u -m orders",
    "warning root-runs-user-writable-path",
  ],
  "a script of a user as root": [
    "ExecStart=/usr/bin/python3 -u /home/ubuntu/run.py",
    "warning root-runs-user-writable-path",
  ],
  "a port below 1024": ["User=x\nExecStart=/opt/bin/gunicorn --bind 0.0.0.0:80 a:b", "warning privileged-port"],
  "a comment behind a list": ["ReadWritePaths=/srv/a # data\nExecStart=/opt/run", "error inline-comment"],
  "a template of a state directory": [
    "DynamicUser=yes\nWorkingDirectory=/var/lib/x\nExecStart=/opt/run",
    "warning dynamic-user-fixed-paths",
  ],
  "a dev server": ["User=x\nExecStart=/opt/venv/bin/flask --app x run", "warning development-server"],
};

for (const [what, [lines, ...expected]] of Object.entries(spoken)) {
  test(`found: ${what}`, () => {
    assert.deepEqual(serviceRules(lines).toSorted(), expected.toSorted());
  });
}

test("a cycle is told once, with the units on it, and the order that a socket implies counts", () => {
  const units = `# a.socket
[Unit]
After=a.service
[Socket]
ListenStream=1234
# a.service
[Service]
ExecStart=/opt/a
`;
  assert.deepEqual(rules(units), ["error ordering-cycle"]);
});

test("units of a long chain without a cycle, and those that only lead to one, are not told", () => {
  const chain = Array.from(
    { length: 50 },
    (_, index) =>
      `# u${index}.service\n[Unit]\nAfter=u${index + 1}.service\n[Service]\nType=notify\nExecStart=/opt/x\n`,
  );
  assert.deepEqual(rules(chain.join("")), []);
  const closed = `${chain.join("")}# u50.service\n[Unit]\nAfter=u40.service\n[Service]\nType=notify\nExecStart=/opt/x\n`;
  assert.deepEqual(rules(closed), ["error ordering-cycle"]);
});

test("expressions are looked at from today on, in the host's zone where none is named", () => {
  const timer = (expression: string) =>
    `# a.timer\n[Timer]\nOnCalendar=${expression}\n[Install]\nWantedBy=timers.target\n# a.service\n[Service]\nType=oneshot\nExecStart=/opt/a\n`;
  const now = new Date("2026-06-01");
  assert.deepEqual(rules(timer("2026-05-01")), []);
  assert.deepEqual(rules(timer("2026-05-01"), { now }), ["warning calendar-past"]);
  assert.deepEqual(rules(timer("2026-07-01"), { now }), []);
  assert.deepEqual(rules(timer("*-*-* 02:30:00"), { now }), []);
  assert.deepEqual(rules(timer("*-*-* 02:30:00"), { now, timeZone: "Europe/Berlin" }), ["warning calendar-dst-gap"]);
  assert.deepEqual(rules(timer("Mon *-*-* 02:30:00 Europe/Berlin"), { now }), []);
  assert.deepEqual(rules(timer("Sun *-*-* 02:30:00 Europe/Berlin"), { now }), ["warning calendar-dst-gap"]);
  assert.deepEqual(rules(timer("*-*-* 02:30:00 America/New_York"), { now }), ["warning calendar-dst-gap"]);
  assert.deepEqual(rules(timer("*-*-* 01:30:00 Europe/London"), { now }), ["warning calendar-dst-gap"]);
  const told = (today: string) =>
    lintUnitTexts(unitTextsOf(timer("*-*-* 02:30:00 Europe/Berlin")), { now: new Date(today) })
      .filter(({ rule }) => rule === "calendar-dst-gap")
      .map(({ message }) => /on (\S+),/.exec(message)?.[1]);
  assert.deepEqual([told("2026-03-01"), told("2026-06-01")], [["2026-03-29"], ["2027-03-28"]]);
});
