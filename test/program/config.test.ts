import assert from "node:assert/strict";
import { test } from "node:test";
import { secretConfigKeys, stackConfig } from "../../program/config.ts";

const host = { sandbox: "web1" };
const service = { exec: ["/bin/true"] };

const configured = (config: Record<string, unknown>) =>
  stackConfig(
    "shop",
    Object.fromEntries(
      Object.entries({ hosts: { web1: host }, ...config }).map(([key, value]) => [
        `shop:${key}`,
        JSON.stringify(value),
      ]),
    ),
  );

/** The lines below the first, which says that there is a mistake. */
const mistakes = (config: Record<string, unknown>): string[] => {
  try {
    configured(config);
  } catch (error) {
    const [head, ...lines] = (error as Error).message.split("\n");
    assert.match(head ?? "", /^the stack's config has (a mistake|mistakes):$/);
    return lines.map((line) => line.trim());
  }
  return [];
};

test("a config of everything is accepted, other projects' keys are left alone", () => {
  const config = stackConfig("shop", {
    "aws:region": "eu-central-1",
    "shop:hosts": JSON.stringify({ web1: { sandbox: "web1", units: ["api.service"] } }),
    "shop:services": JSON.stringify({ api: service }),
  });
  assert.deepEqual(config, {
    hosts: { web1: { sandbox: "web1", units: ["api.service"] } },
    services: { api: service },
    pythonServices: {},
    timers: {},
    sockets: {},
    healthChecks: {},
    notifiers: {},
    units: {},
  });
});

const cases: readonly [string, Record<string, unknown>, readonly string[]][] = [
  ["an unknown key at the top", { service: {} }, ['shop:Unrecognized key: "service"']],
  [
    "a name of a host that cannot be part of a path",
    { hosts: { "web 1": host } },
    [
      'shop:hosts["web 1"]: "web 1" is no name of a host here; write letters, digits and . _ -, beginning with a letter or a digit',
    ],
  ],
  [
    "a path that is not in its plain form",
    { units: { "a.service": { text: "[Service]\n", restartOnFiles: ["/etc/n/"] } } },
    [
      'shop:units["a.service"].restartOnFiles[0]: "/etc/n/" is not the plain form of a path on the host; write it without //, . and .., and without / at its end',
    ],
  ],
  [
    "an unknown key of a service",
    { services: { api: { ...service, exce: [] } } },
    ['shop:services.api: Unrecognized key: "exce"'],
  ],
  [
    "a key of the bastion as text and as a file",
    {
      hosts: {
        web1: {
          connection: {
            host: "192.0.2.1",
            hostKey: `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}`,
            proxy: { host: "192.0.2.9", privateKey: "a key", privateKeyFile: "/k" },
          },
        },
      },
    },
    ["shop:hosts.web1.connection.proxy.privateKeyFile: is given together with privateKey; keep one"],
  ],
  [
    "a wrong type",
    { services: { api: { exec: "/bin/true" } } },
    ["shop:services.api.exec: Invalid input: expected array, received string"],
  ],
  [
    "a host without an address",
    { hosts: { web1: {} } },
    ["shop:hosts.web1: needs exactly one of `connection` (a host of yours) and `sandbox`"],
  ],
];

for (const [what, config, expected] of cases) {
  test(`${what} is one line with its path`, () => {
    assert.deepEqual(mistakes(config), expected);
  });
}

for (const [what, config, start] of [
  [
    "a bad time span",
    { services: { api: { ...service, watchdogSec: "90x" } } },
    'shop:services.api.watchdogSec: "90x"',
  ],
  ["a bad calendar", { timers: { t: { onCalendar: "9 o'clock", service } } }, "shop:timers.t.onCalendar: "],
  [
    "an unknown directive",
    { services: { api: { ...service, service: { ProtectSytem: "full" } } } },
    "shop:services.api.service.ProtectSytem: ",
  ],
  [
    "a bad value of a directive",
    { services: { api: { ...service, service: { ProtectSystem: "stric" } } } },
    "shop:services.api.service.ProtectSystem: ",
  ],
  [
    "a mode without quotes",
    { sockets: { s: { listenStream: "/run/s", socket: { SocketMode: 0o660 } } } },
    "shop:sockets.s.socket.SocketMode: SocketMode: the number 432 is no mode; ",
  ],
  ["a name of a unit that is none", { hosts: { web1: { ...host, units: ["api"] } } }, "shop:hosts.web1.units[0]: "],
  [
    "a timer's own service",
    { timers: { t: { onCalendar: "hourly", service: { exec: [] } } } },
    "shop:timers.t.service.exec: ",
  ],
] as const) {
  test(`${what} is one line with its path`, () => {
    const lines = mistakes(config);
    assert.equal(lines.length, 1, lines.join("\n"));
    assert.ok(lines[0]?.startsWith(start), lines[0]);
  });
}

test("a secret is not shown, whatever is wrong with it", () => {
  const secret = "hunter2-hunter2";
  const lines = mistakes({
    hosts: { web1: { connection: { host: "a", privateKey: [secret], password: { a: secret }, hostKey: secret } } },
    services: { api: { ...service, secretEnvironment: { "BAD-NAME": secret, KEY: [secret] } } },
  });
  assert.equal(lines.length, 4, lines.join("\n"));
  const [line, ...others] = mistakes({ hosts: { web1: { connection: { host: "a", hostKey: secret } } } });
  assert.match(line ?? "", /^shop:hosts\.web1\.connection\.hostKey: is not a public host key; write/);
  assert.ok(![...lines, line, ...others].join("\n").includes(secret), lines.join("\n"));
});

test("a secret is refused where none can be kept; its value is not shown", () => {
  const services = (api: object) => ({
    "shop:hosts": JSON.stringify({ web1: host }),
    "shop:services": JSON.stringify({ api: { ...service, ...api } }),
  });
  const keys = secretConfigKeys('["shop:services"]');
  assert.throws(() => stackConfig("shop", services({ environment: { KEY: "hush-hush" } }), keys), {
    message:
      "the stack's config has a mistake:\n  shop:services: holds a secret where none can be kept: every user of a host can read its units; a secret goes into `secretEnvironment` or `credentials` of a service or into the credentials of a `connection` or notifier",
  });
  assert.doesNotThrow(() => stackConfig("shop", services({ secretEnvironment: { KEY: "hush-hush" } }), keys));
  assert.doesNotThrow(() => stackConfig("shop", services({ environment: { KEY: "open" } }), secretConfigKeys("")));
});
