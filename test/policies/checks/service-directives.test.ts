import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { isOn, isRefused, serviceType } from "../../../policies/checks/service-directives.ts";

suite("what systemd reads of [Service]", () => {
  const types: [type: string, service: Record<string, string | string[]>][] = [
    ["notify", { Type: "notify", BusName: "org.example.Api" }],
    ["dbus", { BusName: "org.example.Api", ExecStart: "/usr/bin/api" }],
    ["simple", { ExecStart: "/usr/bin/api" }],
    ["oneshot", { ExecStop: "/usr/bin/api" }],
    ["oneshot", { ExecStart: ["/usr/bin/api", ""] }],
  ];
  for (const [type, service] of types) {
    test(`${JSON.stringify(service)} is of the type ${type}`, () => {
      assert.equal(serviceType({ Service: service }), type);
    });
  }

  test("a boolean is on, off, or neither", () => {
    const spoken = (value?: string) => {
      const unit = { Service: value === undefined ? {} : { PrivateTmp: value } };
      return [isOn(unit, "PrivateTmp"), isRefused(unit, "PrivateTmp")];
    };
    assert.deepEqual(spoken("yes"), [true, false]);
    assert.deepEqual(spoken("off"), [false, true]);
    assert.deepEqual(spoken("perhaps"), [false, false]);
    assert.deepEqual(spoken(""), [false, false]);
    assert.deepEqual(spoken(), [false, false]);
  });
});
