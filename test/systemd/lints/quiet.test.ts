import assert from "node:assert/strict";
import { test } from "node:test";
import { rules, serviceRules } from "./unit-texts.ts";

test("a hardened service with a socket and a timer has nothing to be told", () => {
  const units = `# api.socket
[Unit]
Description=Orders API socket
[Socket]
ListenStream=8000
[Install]
WantedBy=sockets.target
# api.service
[Unit]
Description=Orders API
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=5min
StartLimitBurst=10
[Service]
Type=notify
User=orders
WorkingDirectory=/opt/api
ExecStartPre=+/usr/bin/install -d -o orders /srv/orders
ExecStart=/opt/api/venv/bin/python -u -m orders --config %d/config --state \${STATE_DIRECTORY}
LoadCredential=config:/etc/api/config
StateDirectory=api
RuntimeDirectory=api
Environment=PYTHONUNBUFFERED=1 "GREETING=good day" PERCENT=100%%
Restart=on-failure
RestartSec=5s
WatchdogSec=30s
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
CapabilityBoundingSet=
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallArchitectures=native
MemoryHigh=448M
MemoryMax=512M
TimeoutStopSec=30s
KillMode=mixed
[Install]
WantedBy=multi-user.target
# clean.timer
[Unit]
Description=Nightly cleanup
[Timer]
OnCalendar=*-*-* 03:15:00 UTC
RandomizedDelaySec=10min
Persistent=true
[Install]
WantedBy=timers.target
# clean.service
[Unit]
Description=Nightly cleanup
[Service]
Type=oneshot
User=orders
TimeoutStartSec=1h
ExecStart=/bin/sh -c "find /srv/orders -name '*.tmp' -mtime +7 -delete && echo done > /srv/orders/last"
`;
  for (const systemd of [252, 257, undefined]) {
    assert.deepEqual(rules(units, { complete: true, systemd, now: new Date("2026-01-01") }), []);
  }
});

const silent: Readonly<Record<string, string>> = {
  "a shell with a quoted script": 'ExecStart=/bin/sh -c "a | b > c && d; e $$(date) `x`"',
  "a quoted operator": 'ExecStart=/opt/run "|" ">" "&&"',
  "a lone semicolon in a oneshot service": "Type=oneshot\nExecStart=/opt/a ; /opt/b \\; c",
  "a # within a word": 'ExecStart=/opt/run --channel=#ops #1 "a # b"\nEnvironment=COLOUR=#fff',
  "variables that systemd sets": "ExecStart=/opt/run ${RUNTIME_DIRECTORY} $MAINPID ${CREDENTIALS_DIRECTORY}/x",
  "variables of an environment file": "EnvironmentFile=-/etc/default/api\nExecStart=/opt/run $OPTIONS ${PORT}",
  "a command without expansion": "ExecStart=:/opt/run ${PORT:-8000}",
  "a doubled $": "ExecStart=/opt/run $${PORT} $$HOME",
  "no notification with limited families": "Type=exec\nRestrictAddressFamilies=AF_INET\nExecStart=/opt/run",
  "a deny list that keeps AF_UNIX": "Type=notify\nRestrictAddressFamilies=~AF_PACKET\nExecStart=/opt/run",
  "families taken back": "Type=notify\nRestrictAddressFamilies=AF_INET\nRestrictAddressFamilies=\nExecStart=/opt/run",
  "a watchdog switched off": "WatchdogSec=0\nExecStart=/opt/run",
  "a reset list": "ExecStart=/opt/a\nExecStart=\nExecStart=/opt/b",
  "ProtectHome=read-only": "ProtectHome=read-only\nExecStart=/home/x/run\nUser=x",
  "ProtectHome=tmpfs with a bind":
    "ProtectHome=tmpfs\nBindReadOnlyPaths=/home/x/app\nExecStart=/home/x/app/run\nUser=x",
  "a + command outside the sandbox": "ProtectHome=yes\nUser=x\nExecStartPre=+/root/prepare\nExecStart=/opt/run",
  "a secret by reference":
    "Environment=DB_PASSWORD_FILE=%d/db TOKEN_URL=https://x/ API_KEY=$KEY\nExecStart=/opt/run --password-file=/x",
  "endless restart on purpose": "Restart=always\nRestartSec=10s\nExecStart=/opt/run",
  "a date with doubled percent signs": "Type=oneshot\nExecStart=/bin/date +%%Y-%%m-%%d",
  "strict with what it writes":
    "ProtectSystem=strict\nLogsDirectory=api\nExecStart=/opt/run --log-file=/var/log/api/x.log",
  "capabilities in both sets":
    "CapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_CHOWN\nAmbientCapabilities=cap_net_bind_service\nExecStart=/opt/run",
  "a server in the foreground": "ExecStart=/usr/bin/rsync --daemon --no-detach",
  "a success action instead of a command": "Type=oneshot\nRemainAfterExit=yes\nExecStop=/opt/stop",
};

for (const [what, lines] of Object.entries(silent)) {
  test(`nothing is said of ${what}`, () => {
    assert.deepEqual(serviceRules(lines), []);
  });
}

const silentSets: Readonly<Record<string, string>> = {
  "an order that the other unit gives":
    "# a.service\n[Unit]\nRequires=b.service\n[Service]\nExecStart=/opt/a\n# b.service\n[Unit]\nBefore=a.service\n[Service]\nType=notify\nExecStart=/opt/b\n",
  "a socket and its service":
    "# a.socket\n[Socket]\nListenStream=1234\n# a.service\n[Unit]\nRequires=a.socket\n[Service]\nExecStart=/opt/a\n",
  "a socket for each connection":
    "# a.socket\n[Socket]\nListenStream=1234\nAccept=yes\n# a@.service\n[Service]\nStandardInput=socket\nExecStart=/opt/a\n",
  "a timer whose service an alias names":
    "# a.timer\n[Timer]\nOnCalendar=daily\nUnit=other.service\n# a.service\n[Service]\nType=oneshot\nTimeoutStartSec=1h\nExecStart=/opt/a\n[Install]\nAlias=other.service\n",
  "a timer for an instance":
    "# a.timer\n[Timer]\nOnCalendar=daily\nUnit=a@x.service\n# a@.service\n[Service]\nType=oneshot\nTimeoutStartSec=1h\nExecStart=/opt/a %i\n",
  "a boot timer of a service that stays":
    "# a.timer\n[Timer]\nOnBootSec=1min\n# a.service\n[Service]\nType=oneshot\nRemainAfterExit=yes\nTimeoutStartSec=1h\nExecStart=/opt/a\n",
  "early units without default dependencies":
    "# a.service\n[Unit]\nDefaultDependencies=no\nBefore=sysinit.target\n[Service]\nType=oneshot\nExecStart=/opt/a\n",
  "midnight in a zone whose gap is at two":
    "# a.timer\n[Timer]\nOnCalendar=*-*-* 00:00:00 Europe/Berlin\n# a.service\n[Service]\nType=oneshot\nTimeoutStartSec=1h\nExecStart=/opt/a\n",
  "a socket directory that is kept":
    "# a.socket\n[Socket]\nListenStream=/run/a/s\n# a.service\n[Service]\nRuntimeDirectory=a\nRuntimeDirectoryPreserve=yes\nExecStart=/opt/a\n",
  "triggers taken back and set anew":
    "# a.timer\n[Timer]\nOnUnitActiveSec=1h\nOnCalendar=\nOnCalendar=daily\nPersistent=yes\n# a.service\n[Service]\nType=oneshot\nExecStart=/opt/a\n",
};

for (const [what, units] of Object.entries(silentSets)) {
  test(`nothing is said of ${what}`, () => {
    assert.deepEqual(rules(units, { complete: true }), []);
  });
}
