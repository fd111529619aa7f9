import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { sandboxExposure } from "../../policies/sandbox-exposure.ts";
import { serviceResource, violations } from "./resource-args.ts";

/** 1.5 in `systemd-analyze security` of systemd 252. */
const sealed = {
  ExecStart: "/usr/bin/api",
  CapabilityBoundingSet: "",
  DevicePolicy: "closed",
  DynamicUser: "yes",
  LockPersonality: "yes",
  PrivateDevices: "yes",
  ProtectClock: "yes",
  ProtectControlGroups: "yes",
  ProtectHome: "yes",
  ProtectKernelLogs: "yes",
  ProtectKernelModules: "yes",
  ProtectKernelTunables: "yes",
  ProtectProc: "invisible",
  RestrictAddressFamilies: "AF_UNIX AF_INET AF_INET6",
  RestrictNamespaces: "yes",
  RestrictRealtime: "yes",
  SystemCallArchitectures: "native",
  SystemCallFilter: ["@system-service", "~@privileged @resources"],
};

suite("sandbox-exposure", () => {
  test("passes a service that is sealed as far as a network service can be", () => {
    assert.deepEqual(violations(sandboxExposure, serviceResource(sealed)), []);
  });

  test("passes a score that equals the ceiling", () => {
    const resource = { ...serviceResource(sealed), config: { maximum: 1.5 } };
    assert.deepEqual(violations(sandboxExposure, resource), []);
  });

  test("proposes what cuts off the network last", () => {
    const resource = { ...serviceResource(sealed), config: { maximum: 1.4 } };
    assert.deepEqual(violations(sandboxExposure, resource), [
      "api.service: exposure 1.5 (OK), wanted at most 1.4: the score would fall most by PrivateMounts=yes (-0.2), PrivateUsers=yes (-0.2); if it needs no network, by PrivateNetwork=yes (-0.4), RestrictAddressFamilies= (-0.3)",
    ]);
  });

  test("refuses a service without a sandbox and shows nothing of its environment", () => {
    const resource = serviceResource({ ExecStart: "/usr/bin/api --key=hunter2", Environment: "KEY=hunter2" });
    assert.deepEqual(violations(sandboxExposure, resource), [
      "api.service: exposure 9.6 (UNSAFE), wanted at most 2.5: the score would fall most by CapabilityBoundingSet= (-2.5), SystemCallFilter= (-1.6), DynamicUser=yes (-1.2), RestrictNamespaces= (-0.7)",
    ]);
  });

  test("reckons gains without the tests that do not count for the service", () => {
    const resource = serviceResource({
      ExecStart: "/usr/bin/api",
      PrivateTmp: "yes",
      ProtectHome: "yes",
      ProtectSystem: "strict",
    });
    assert.deepEqual(violations(sandboxExposure, resource), [
      "api.service: exposure 9.0 (UNSAFE), wanted at most 2.5: the score would fall most by CapabilityBoundingSet= (-2.5), SystemCallFilter= (-1.6), DynamicUser=yes (-0.8), RestrictNamespaces= (-0.7)",
    ]);
  });

  test("adds proposals to what the unit already says", () => {
    const resource = serviceResource({ ...sealed, SystemCallFilter: "@system-service" });
    resource.config = { maximum: 1.6 };
    assert.deepEqual(violations(sandboxExposure, resource), [
      "api.service: exposure 1.7 (OK), wanted at most 1.6: the score would fall most by SystemCallFilter= (-0.2), PrivateMounts=yes (-0.2), PrivateUsers=yes (-0.2); if it needs no network, by PrivateNetwork=yes (-0.4)",
    ]);
  });

  test("says so when no directive alone would help", () => {
    const resource = serviceResource({
      ...sealed,
      PrivateMounts: "yes",
      PrivateNetwork: "yes",
      PrivateUsers: "yes",
      RestrictAddressFamilies: "none",
      IPAddressDeny: "any",
    });
    resource.config = { maximum: 0 };
    assert.deepEqual(violations(sandboxExposure, resource), [
      "api.service: exposure 0.2 (SAFE), wanted at most 0.0: no directive alone would lower the score by 0.1, so it takes several",
    ]);
  });
});
