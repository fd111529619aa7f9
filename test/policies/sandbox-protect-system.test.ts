import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { sandboxProtectSystem } from "../../policies/sandbox-protect-system.ts";
import { serviceResource, violations } from "./resource-args.ts";

function happyPath() {
  return serviceResource({ ExecStart: "/usr/bin/api", ProtectSystem: "strict" });
}

suite("sandbox-protect-system", () => {
  test("passes ProtectSystem=strict", () => {
    assert.deepEqual(violations(sandboxProtectSystem, happyPath()), []);
  });

  const accepted: [why: string, service: Record<string, string | string[]>, config: Record<string, unknown>][] = [
    ["full by default", { ProtectSystem: "full" }, {}],
    ["what DynamicUser= implies", { DynamicUser: "yes" }, { minimum: "strict" }],
    [
      "a weak value that DynamicUser= makes strict",
      { DynamicUser: "yes", ProtectSystem: "full" },
      { minimum: "strict" },
    ],
    ["the last of several values", { ProtectSystem: ["no", "strict"] }, {}],
    ["a value before an empty one, which systemd ignores", { ProtectSystem: ["strict", ""] }, {}],
  ];
  for (const [why, service, config] of accepted) {
    test(`passes ${why}`, () => {
      assert.deepEqual(violations(sandboxProtectSystem, { ...serviceResource(service), config }), []);
    });
  }

  const everything = "its processes could write to /usr, /boot and /etc, as far as their user may";
  const refused: [found: string, service: Record<string, string | string[]>, why: string][] = [
    ["ProtectSystem= is not set", {}, everything],
    ["ProtectSystem=no", { ProtectSystem: "no" }, everything],
    ["ProtectSystem=off", { ProtectSystem: "off" }, everything],
    ["ProtectSystem=Strict", { ProtectSystem: "Strict" }, everything],
    ["ProtectSystem=no", { ProtectSystem: ["strict", "no"] }, everything],
    ["ProtectSystem=yes", { ProtectSystem: "yes" }, "its processes could write to /etc, as far as their user may"],
    ["ProtectSystem=TRUE", { ProtectSystem: "TRUE" }, "its processes could write to /etc, as far as their user may"],
    ["ProtectSystem= is not set", { DynamicUser: "no" }, everything],
    [
      "ProtectSystem=no",
      { DynamicUser: "yes", ProtectSystem: "no" },
      "DynamicUser=yes overrides it, but the system would be writable as soon as that line goes",
    ],
  ];
  for (const [found, service, why] of refused) {
    test(`refuses ${JSON.stringify(service)}`, () => {
      assert.deepEqual(violations(sandboxProtectSystem, serviceResource(service)), [
        `api.service: [Service] ${found}, wanted full or strict: ${why}`,
      ]);
    });
  }

  test("refuses full where strict is the minimum", () => {
    const resource = serviceResource({ ProtectSystem: "full" });
    resource.config = { minimum: "strict" };
    assert.deepEqual(violations(sandboxProtectSystem, resource), [
      "api.service: [Service] ProtectSystem=full, wanted strict: its processes could write to everything but /usr, /boot and /etc, as far as their user may",
    ]);
  });
});
