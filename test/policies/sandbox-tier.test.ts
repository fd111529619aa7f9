import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { sandboxTier } from "../../policies/sandbox-tier.ts";
import { profileSandbox, sandboxProfileNames } from "../../systemd/profiles.ts";
import { unitFileOf } from "../../systemd/sections.ts";
import { printUnitFile } from "../../systemd/unit-file.ts";
import { serviceResource, unitResource, violations } from "./resource-args.ts";

const basic = { ExecStart: "/usr/bin/api", NoNewPrivileges: "yes", ProtectSystem: "full", PrivateTmp: "yes" };
const contained = {
  ...basic,
  ProtectSystem: "strict",
  ProtectHome: "read-only",
  PrivateDevices: "yes",
  ProtectKernelTunables: "yes",
  ProtectKernelModules: "yes",
  ProtectControlGroups: "yes",
  RestrictSUIDSGID: "yes",
  RestrictAddressFamilies: "AF_INET",
  SystemCallFilter: "@system-service",
  CapabilityBoundingSet: "CAP_NET_BIND_SERVICE",
};
const sealed = {
  ...contained,
  PrivateUsers: "yes",
  MemoryDenyWriteExecute: "yes",
  ProtectClock: "yes",
  ProtectKernelLogs: "yes",
  ProtectHostname: "yes",
  LockPersonality: "yes",
  RestrictRealtime: "yes",
  RestrictNamespaces: "yes",
  CapabilityBoundingSet: "",
};
const as = (service: Record<string, string | string[]>, daemon: string, name?: string) => ({
  ...serviceResource(service, name),
  config: { daemon },
});

suite("sandbox-tier", () => {
  for (const [tier, service] of [
    ["open", { ExecStart: "/usr/bin/api" }],
    ["basic", basic],
    ["contained", contained],
    ["sealed", sealed],
  ] as const) {
    test(`passes a service of the tier ${tier}`, () => {
      assert.deepEqual(violations(sandboxTier, as({ ...service }, tier)), []);
    });
  }

  for (const [tier, service] of [
    ["basic", basic],
    ["contained", contained],
    ["sealed", sealed],
  ] as const) {
    for (const directive of Object.keys(service).filter((key) => key !== "ExecStart")) {
      test(`${tier} misses ${directive} where it is not there`, () => {
        const { [directive]: _, ...without } = service as Record<string, string>;
        const [message = "", ...others] = violations(sandboxTier, as(without, tier));
        assert.deepEqual(others, []);
        assert.match(
          message,
          new RegExp(
            `^api\\.service: \\[Service\\] lacks ${directive}=[^;]+, wanted the tier ${tier}: that is what a daemon of this environment needs$`,
          ),
        );
      });
    }
  }

  const otherwise: [tier: string, change: Record<string, string>][] = [
    ["basic", { ProtectSystem: "strict" }],
    ["basic", { PrivateTmp: "disconnected", NoNewPrivileges: "true" }],
    ["contained", { ProtectHome: "tmpfs", RestrictSUIDSGID: "1" }],
    ["contained", { ProtectHome: "on" }],
  ];
  for (const [tier, change] of otherwise) {
    test(`${tier} takes ${JSON.stringify(change)}`, () => {
      assert.deepEqual(violations(sandboxTier, as({ ...contained, ...change }, tier)), []);
    });
  }

  const wrong: [tier: string, directive: string, value: string, wanted: string][] = [
    ["basic", "NoNewPrivileges", "no", "yes"],
    ["basic", "NoNewPrivileges", "perhaps", "yes"],
    ["basic", "PrivateTmp", "perhaps", "yes"],
    ["contained", "ProtectSystem", "full", "strict"],
    ["contained", "ProtectHome", "perhaps", "yes"],
    ["sealed", "CapabilityBoundingSet", "CAP_CHOWN", "(nothing)"],
  ];
  for (const [tier, directive, value, wanted] of wrong) {
    test(`${tier} refuses ${directive}=${value}`, () => {
      assert.deepEqual(violations(sandboxTier, as({ ...sealed, [directive]: value }, tier)), [
        `api.service: [Service] lacks ${directive}=${wanted} (it is ${value}), wanted the tier ${tier}: that is what a daemon of this environment needs`,
      ]);
    });
  }

  for (const tier of ["contained", "sealed"]) {
    test(`${tier} refuses a unit without [Service]`, () => {
      const resource = { ...unitResource("api.service", "[Unit]\nDescription=orders\n"), config: { job: tier } };
      const [message = "", ...others] = violations(sandboxTier, resource);
      assert.deepEqual(others, []);
      assert.match(
        message,
        /CapabilityBoundingSet=.*, wanted the tier .*: that is what a job of this environment needs$/,
      );
    });
  }

  test("names all that is missing, with what stands there", () => {
    const service = { ExecStart: "/bin/x", NoNewPrivileges: "no", ProtectSystem: "yes" };
    assert.deepEqual(violations(sandboxTier, as(service, "basic")), [
      "api.service: [Service] lacks NoNewPrivileges=yes (it is no); ProtectSystem=full (it is yes); PrivateTmp=yes, wanted the tier basic: that is what a daemon of this environment needs",
    ]);
  });

  test("takes what DynamicUser= implies, unless it is refused", () => {
    assert.deepEqual(violations(sandboxTier, as({ ExecStart: "/bin/x", DynamicUser: "yes" }, "basic")), []);
    assert.deepEqual(
      violations(sandboxTier, as({ ExecStart: "/bin/x", DynamicUser: "yes", PrivateTmp: "no" }, "basic")),
      [
        "api.service: [Service] lacks PrivateTmp=yes (it is no), wanted the tier basic: that is what a daemon of this environment needs",
      ],
    );
  });

  test("tells daemons, jobs and templates apart", () => {
    const tiers = { daemon: "basic", job: "open", template: "contained" };
    const lacking = (service: Record<string, string>, name: string) =>
      violations(sandboxTier, { ...serviceResource(service, name), config: tiers }).map(
        (message) => /the tier (\w+): .* a (\w+) /.exec(message)?.slice(1, 3).join(" of a ") ?? message,
      );
    assert.deepEqual(lacking({ ExecStart: "/bin/x" }, "api.service"), ["basic of a daemon"]);
    assert.deepEqual(lacking({ ExecStart: "/bin/x", Type: "oneshot" }, "api.service"), []);
    assert.deepEqual(lacking({ ExecStart: "/bin/x", Type: "oneshot" }, "api@.service"), ["contained of a template"]);
    assert.deepEqual(lacking({ ExecStart: "/bin/x" }, "api@blue.service"), ["contained of a template"]);
  });

  for (const profile of sandboxProfileNames) {
    test(`passes the profile ${profile} as ${profile === "trusted" ? "basic" : "contained"}`, () => {
      const sections = { Service: { ...profileSandbox(profile), ExecStart: "/usr/bin/api", User: "api" } };
      const resource = unitResource("api.service", printUnitFile(unitFileOf(sections)));
      const config = { daemon: profile === "trusted" ? "basic" : "contained" };
      assert.deepEqual(violations(sandboxTier, { ...resource, config }), []);
    });
  }
});
