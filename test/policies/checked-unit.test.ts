import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { unitFromFile, unitFromSections } from "../../policies/checked-unit.ts";
import { rules } from "../../policies/policies.ts";
import { reading } from "../../policies/unknown-values.ts";
import { parseUnitFile } from "../../systemd/unit-file.ts";
import { reported, violations, withUnknown } from "./resource-args.ts";

const rule = (id: string) => {
  const found = rules.find(({ name }) => name === id);
  assert.ok(found, id);
  return found;
};
const unit = (name: string, props: Record<string, unknown>) => ({
  type: "systemd:index:Unit",
  name,
  props,
  config: {},
  parents: [],
});

suite("a unit of which not all is known", () => {
  test("gives lints no answer about what is not known", () => {
    const identity = { name: "api.service", urn: "", waive: [] };
    const sections = { Service: withUnknown({ Group: "api" }, "User"), Install: {} };
    const { assignments } = unitFromSections(
      identity,
      reading(() => sections),
    ).linted;
    const message = "[Service] User is not known before the update";
    assert.throws(() => assignments.get("Service.User"), { message });
    assert.throws(() => assignments.has("Service.User"), { message });
    assert.equal(assignments.has("Service.Group"), true);
    assert.equal(assignments.has("Install.WantedBy"), false);
  });

  test("has no section that is known where none is", () => {
    const identity = { name: "api.service", urn: "", waive: [] };
    const { unknown } = unitFromSections(identity, { value: undefined, isKnown: false });
    assert.deepEqual([...unknown], ["Unit", "Service", "Socket", "Timer", "Path", "Install"]);
  });

  test("does not know a directive of which one line is not known", () => {
    const file = parseUnitFile("[Service]\nUser=api\nExecStartPre=/bin/a\nExecStartPre=/bin/?\n");
    const { unknown, model } = unitFromFile({ name: "api.service", urn: "", waive: [] }, file, (value) =>
      value.includes("?"),
    );
    assert.deepEqual([[...unknown], model], [["Service.ExecStartPre"], { Service: { User: "api" } }]);
  });

  for (const [policy, name, section] of [
    ["non-root-user", "api.service", "Service"],
    ["socket-loopback", "api.socket", "Socket"],
    ["timer-without-trigger", "api.timer", "Install"],
  ] as const) {
    test(`leaves ${policy} to the update where nothing of ${name} is known`, () => {
      const late = unit(name, withUnknown({}, "text", "sections"));
      assert.deepEqual(
        reported([rule(policy), rule("known-before-update")], [late]).map(({ message }) => message),
        [`${name}: [${section}] is not known before the update, so these checks wait for it: ${policy}`],
      );
    });
  }

  test("leaves no-install to the update", () => {
    assert.deepEqual(violations(rule("no-install"), unit("api.service", withUnknown({}, "text", "sections"))), []);
  });

  test("has no directive in a section that is null", () => {
    assert.deepEqual(violations(rule("non-root-user"), unit("api.service", { sections: { Service: null } })), [
      "api.service: [Service] User= is not set, wanted an account of its own, or DynamicUser=yes: whoever takes over the process is root on the host",
    ]);
  });
});
