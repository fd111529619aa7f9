import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { escapeHatches } from "../../policies/escape-hatches.ts";
import { type FakeResource, violations, withUnknown } from "./resource-args.ts";

const resource = (type: string, props: object, config = {}): FakeResource => ({
  type,
  name: "web1",
  props: { ...props },
  config,
  parents: [],
});

suite("escape-hatches", () => {
  test("lists what is given, and stops nothing", () => {
    const props = { insecureSkipHostKey: "throw-away host", adopt: ["/etc/systemd/system/api.service"] };
    assert.deepEqual(violations(escapeHatches, resource("systemd:index:Host", props)), [
      '[advisory] web1: insecureSkipHostKey is given: "throw-away host"',
      '[advisory] web1: adopt is given: ["/etc/systemd/system/api.service"]',
    ]);
  });
  test("refuses what the config names", () => {
    const given = resource("systemd:index:Host", { insecureSkipHostKey: "x", adopt: true }, { refuse: ["adopt"] });
    assert.deepEqual(violations(escapeHatches, given), [
      '[advisory] web1: insecureSkipHostKey is given: "x"',
      "web1: adopt is given: true",
    ]);
  });
  test("lists what is not known yet", () => {
    const late = { ...resource("systemd:index:Host", {}), props: withUnknown({}, "insecureSkipHostKey") };
    assert.deepEqual(violations(escapeHatches, late), [
      "[advisory] web1: insecureSkipHostKey is given: not known before the update",
    ]);
  });
  test("says nothing where nothing is given, or of other packages", () => {
    assert.deepEqual(violations(escapeHatches, resource("systemd:index:Host", { adopt: [] })), []);
    assert.deepEqual(violations(escapeHatches, resource("systemd:index:Unit", { adopt: false })), []);
    assert.deepEqual(violations(escapeHatches, resource("other:index:Thing", { adopt: true })), []);
  });
});
