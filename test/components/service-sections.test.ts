import assert from "node:assert/strict";
import { test } from "node:test";
import { pythonServicePlan } from "../../components/python-service.ts";
import { SandboxProfile, type ServicePlain, serviceSchema } from "../../components/service-args.ts";
import { serviceSections } from "../../components/service-sections.ts";
import { exposureOf } from "../../systemd/exposure.ts";
import { profileSandbox, sandboxProfileNames } from "../../systemd/profiles.ts";
import { serviceSandbox } from "../../systemd/sandbox.ts";
import type { SectionDirectives, UnitSections } from "../../systemd/sections.ts";
import { unitFileOf } from "../../systemd/sections.ts";
import { unitProblems } from "../../systemd/validate.ts";

const present = (directives: SectionDirectives | undefined) =>
  Object.fromEntries(Object.entries(directives ?? {}).filter(([, value]) => value !== undefined));

const rendered = (sections: UnitSections) =>
  Object.fromEntries(Object.entries(sections).map(([section, directives]) => [section, present(directives)]));

const minimal: ServicePlain = { exec: ["/usr/bin/orders", "--port", "80"] };

test("a service with nothing but its program is contained, restarted and enabled", () => {
  assert.deepEqual(rendered(serviceSections("orders", minimal)), {
    Unit: { Description: "orders", After: "network.target", StartLimitIntervalSec: "0" },
    Service: {
      Type: "exec",
      DynamicUser: true,
      ExecStart: ["/usr/bin/orders --port 80"],
      Restart: "on-failure",
      RestartSec: "5s",
      StateDirectory: "orders",
      ...serviceSandbox(),
    },
    Install: { WantedBy: "multi-user.target" },
  });
});

test("every argument becomes the directive of its name", () => {
  const sections = rendered(
    serviceSections("orders", {
      ...minimal,
      description: "100% orders",
      documentation: ["https://example.org/a", "man:orders(1)"],
      user: "orders",
      group: "shop",
      workingDirectory: "/srv/orders",
      environment: { MODE: "a b", LEVEL: "1" },
      environmentFiles: ["-/etc/default/orders"],
      secretEnvironment: { KEY: "never shown" },
      requires: ["redis-server.service"],
      wants: ["mail.service"],
      after: ["time-sync.target"],
      watchdogSec: "90s",
      restart: "always",
      restartSec: "10s",
      timeoutStartSec: "1min",
      timeoutStartFailureMode: "abort",
      timeoutStopSec: "20s",
      socket: { unitName: "orders.socket" },
    }),
  );
  assert.deepEqual(sections.Unit, {
    Description: "100%% orders",
    Documentation: "https://example.org/a man:orders(1)",
    Requires: "redis-server.service orders.socket",
    Wants: "mail.service",
    After: "time-sync.target redis-server.service mail.service orders.socket",
    StartLimitIntervalSec: "0",
  });
  assert.deepEqual(sections.Service, {
    Type: "notify",
    User: "orders",
    Group: "shop",
    WorkingDirectory: "/srv/orders",
    Environment: ['"MODE=a b"', "LEVEL=1"],
    EnvironmentFile: ["-/etc/default/orders", "/etc/pulumi-systemd/orders.env"],
    ExecStart: ["/usr/bin/orders --port 80"],
    Sockets: "orders.socket",
    NotifyAccess: "main",
    WatchdogSec: "90s",
    Restart: "always",
    RestartSec: "10s",
    TimeoutStartSec: "1min",
    TimeoutStartFailureMode: "abort",
    TimeoutStopSec: "20s",
    StateDirectory: "orders",
    ...serviceSandbox(),
  });
});

test("the user's own directives win, in place, and new ones follow", () => {
  const { Service = {} } = rendered(
    serviceSections("orders", { ...minimal, service: { NoNewPrivileges: "no", MemoryMax: "1G" } }),
  );
  const plain = Object.keys(rendered(serviceSections("orders", minimal)).Service ?? {});
  assert.deepEqual(Object.keys(Service), [...plain, "MemoryMax"]);
  assert.equal(Service.NoNewPrivileges, "no");
});

for (const profile of sandboxProfileNames) {
  test(`the profile ${profile} takes the place of the default sandbox, and of nothing else`, () => {
    const sandbox = Object.keys(serviceSandbox());
    const { Service, ...others } = rendered(serviceSections("orders", { ...minimal, profile }));
    const { Service: plain, ...plainOthers } = rendered(serviceSections("orders", minimal));
    const outside = Object.entries(plain ?? {}).filter(([name]) => !sandbox.includes(name));
    assert.deepEqual(Service, { ...Object.fromEntries(outside), ...profileSandbox(profile) });
    assert.deepEqual(others, plainOthers);
  });
}

test("the user's own directives win over a profile too, and may take one of its directives away", () => {
  const { Service = {} } = rendered(
    serviceSections("orders", {
      ...minimal,
      profile: "strict",
      service: { PrivateUsers: "no", IPAddressDeny: [], RestrictAddressFamilies: "AF_UNIX AF_NETLINK" },
    }),
  );
  assert.deepEqual(
    [Service.PrivateUsers, "IPAddressDeny" in Service, Service.RestrictAddressFamilies, Service.PrivateNetwork],
    ["no", false, "AF_UNIX AF_NETLINK", "yes"],
  );
});

test("a profile must be one of the four, which SandboxProfile names", () => {
  assert.deepEqual(Object.values(SandboxProfile), sandboxProfileNames);
  assert.deepEqual(
    serviceSchema
      .safeParse({ ...minimal, profile: "paranoid" })
      .error?.issues.map(({ path, message }) => ({ path, message })),
    [
      {
        path: ["profile"],
        message: 'Invalid option: expected one of "strict"|"network-client"|"network-server"|"trusted"',
      },
    ],
  );
});

test("an own User= takes the place of the dynamic one", () => {
  const { Service } = rendered(serviceSections("orders", { ...minimal, service: { User: "root" } }));
  assert.deepEqual([Service?.DynamicUser, Service?.User], [undefined, "root"]);
});

test("a oneshot is not restarted, a service on demand is not enabled", () => {
  const sections = rendered(serviceSections("orders", { ...minimal, type: "oneshot", onDemand: true }));
  assert.deepEqual(
    [sections.Service?.Restart, sections.Service?.RestartSec, sections.Unit?.StartLimitIntervalSec, sections.Install],
    [undefined, undefined, undefined, undefined],
  );
});

const underHome: readonly [string, ServicePlain][] = [
  ["its directory", { ...minimal, workingDirectory: "/home/me/app" }],
  ["its program", { exec: ["/root/venv/bin/python", "-m", "orders"] }],
];
for (const [where, args] of underHome) {
  test(`a service with ${where} under a home can read it`, () => {
    assert.equal(serviceSections("orders", args).Service?.ProtectHome, "read-only");
  });
}

test("trusted leaves homes as they are, also for a service that lives in one", () => {
  const { Service } = serviceSections("orders", { ...minimal, profile: "trusted", workingDirectory: "/home/me/app" });
  assert.equal(Service?.ProtectHome, undefined);
});

test("a program's arguments reach it as they are", () => {
  const { Service } = serviceSections("orders", { exec: ["/bin/echo", "a b", "$HOME", "50%", ";", 'say "hi"'] });
  assert.deepEqual(Service?.ExecStart, ['/bin/echo "a b" $$HOME 50%% ";" "say \\"hi\\""']);
});

test("a default Python service is valid for systemd 247 and scores 2.0 or less", () => {
  const { args } = pythonServicePlan("orders", { exec: ["python", "-m", "orders"], directory: "/srv/orders" });
  const sections = serviceSections("orders", args);
  assert.deepEqual(unitProblems("orders.service", sections, { systemd: 247 }), []);
  const { exposure } = exposureOf("orders.service", unitFileOf(sections));
  assert.ok(exposure <= 2, `exposure is ${exposure}`);
});

test("python stands for the interpreter, wherever the code is", () => {
  const planned = (more: object) => pythonServicePlan("orders", { exec: ["python", "-m", "orders"], ...more }).args;
  assert.deepEqual(
    [
      planned({ directory: "/srv/orders" }).exec[0],
      planned({ directory: "/srv/orders", interpreter: "venv/bin/python" }).exec[0],
      planned({ directory: "/srv/orders", interpreter: "/usr/bin/python3.12" }).exec[0],
      planned({ directory: "/srv/orders", exec: ["gunicorn"] }).exec[0],
      planned({ directory: "/srv/orders" }).workingDirectory,
      planned({ directory: "/srv/orders", workingDirectory: "/srv" }).workingDirectory,
    ],
    ["/usr/bin/python3", "/srv/orders/venv/bin/python", "/usr/bin/python3.12", "gunicorn", "/srv/orders", "/srv"],
  );
});

test("code must be in exactly one place", () => {
  assert.throws(() => pythonServicePlan("orders", { exec: ["python"] }), {
    message:
      "source, directory: one of the two must say where the code is: `source` ships code of this machine, `directory` names a directory on the host",
  });
  assert.throws(() => pythonServicePlan("orders", { exec: ["python"], source: "a", directory: "/b" }), {
    message:
      "source, directory: both are given; `source` ships code of this machine, `directory` names a directory on the host: keep one",
  });
});
