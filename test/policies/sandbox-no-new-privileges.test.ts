import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { sandboxNoNewPrivileges } from "../../policies/sandbox-no-new-privileges.ts";
import { serviceResource, violations } from "./resource-args.ts";

suite("sandbox-no-new-privileges", () => {
  const accepted: [why: string, service: Record<string, string | string[]>][] = [
    ["yes", { NoNewPrivileges: "yes" }],
    ["every spelling of yes", { NoNewPrivileges: "On" }],
    ["what DynamicUser= implies", { DynamicUser: "yes" }],
    ["the last of several values", { NoNewPrivileges: ["no", "yes"] }],
    ["a value before an empty one, which systemd ignores", { NoNewPrivileges: ["yes", ""] }],
  ];
  for (const [why, service] of accepted) {
    test(`passes ${why}`, () => assert.deepEqual(violations(sandboxNoNewPrivileges, serviceResource(service)), []));
  }

  const setuid = "its processes could gain privileges through setuid programs such as sudo";
  const refused: [found: string, service: Record<string, string | string[]>, why: string][] = [
    ["NoNewPrivileges= is not set", {}, setuid],
    ["NoNewPrivileges=no", { NoNewPrivileges: "no" }, setuid],
    ["NoNewPrivileges=0", { NoNewPrivileges: ["yes", "0"] }, setuid],
    ["NoNewPrivileges=ja", { NoNewPrivileges: "ja" }, setuid],
    ["NoNewPrivileges= is not set", { SystemCallFilter: "@system-service", User: "api" }, setuid],
    [
      "NoNewPrivileges=no",
      { DynamicUser: "yes", NoNewPrivileges: "no" },
      "DynamicUser=yes overrides it, but privileges could be gained as soon as that line goes",
    ],
  ];
  for (const [found, service, why] of refused) {
    test(`refuses ${JSON.stringify(service)}`, () => {
      assert.deepEqual(violations(sandboxNoNewPrivileges, serviceResource(service)), [
        `api.service: [Service] ${found}, wanted yes: ${why}`,
      ]);
    });
  }
});
