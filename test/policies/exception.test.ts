import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { exceptionFor, exceptions } from "../../policies/exception.ts";

const reason = "restarts the unit that it watches";
const urn =
  "urn:pulumi:dev::shop::systemd:index:HealthCheck$systemd:index:Timer$systemd:index:Unit::api-health.service";
const resource = { name: "api-health.service", urn };

suite("exceptionFor", () => {
  const cases: [fits: boolean, exception: { name?: string; component?: string }][] = [
    [true, { name: "api-health.service" }],
    [true, { name: "*-health.service" }],
    [true, { name: "api?health.*" }],
    [true, { name: "*" }],
    [false, { name: "health" }],
    [false, { name: "api-health" }],
    [false, { name: "pi-health.service" }],
    [false, { name: "api-health?service?" }],
    [false, { name: "api-health[.]service" }],
    [true, { component: "systemd:index:HealthCheck" }],
    [true, { component: "systemd:index:Timer" }],
    [false, { component: "systemd:index:Unit" }],
    [false, { component: "systemd:index:Service" }],
    [true, { name: "api*", component: "systemd:index:HealthCheck" }],
    [false, { name: "web*", component: "systemd:index:HealthCheck" }],
    [false, { name: "api*", component: "systemd:index:Service" }],
  ];
  for (const [fits, exception] of cases) {
    test(`${JSON.stringify(exception)} ${fits ? "fits" : "does not fit"}`, () => {
      const given = { ...exception, reason };
      assert.equal(exceptionFor(resource, [given]), fits ? given : undefined);
    });
  }

  test("a dot is no wildcard, and a backslash of an escaped name stands for itself", () => {
    const escaped = { name: "srv-my\\x20data.service", urn: "urn:pulumi:dev::shop::systemd:index:Unit::x" };
    assert.equal(exceptionFor(escaped, [{ name: "srv-my\\x20data-service", reason }]), undefined);
    assert.equal(exceptionFor(escaped, [{ name: "srv-my\\x20*.service", reason }])?.reason, reason);
  });

  test("a component is not asked for where there is no URN", () => {
    const nameless = { name: "api.service", urn: "" };
    assert.equal(exceptionFor(nameless, [{ component: "systemd:index:HealthCheck", reason }]), undefined);
    assert.equal(exceptionFor(nameless, [{ name: "api.service", reason }])?.reason, reason);
  });

  test("the first that fits counts", () => {
    const among = [
      { name: "web*", reason: "first" },
      { name: "api*", reason: "second" },
      { name: "*", reason: "third" },
    ];
    assert.equal(exceptionFor(resource, among), among[1]);
  });
});

suite("exceptions", () => {
  const cases: [given: unknown, problem: RegExp][] = [
    [[{ name: "a.service" }], /expected string/],
    [[{ name: "a.service", reason: "short" }], />=10 characters/],
    [[{ name: "", reason }], />=1 characters/],
    [[{ reason }], /needs a name or a component/],
    [[{ component: ":systemd:index:HealthCheck", reason }], /is not a resource type/],
    [[{ component: "systemd:index:HealthCheck:", reason }], /is not a resource type/],
    [[{ component: "HealthCheck", reason }], /is not a resource type such as systemd:index:HealthCheck/],
    [[{ name: "a.service", reason, until: "2030-01-01" }], /Unrecognized key: "until"/],
  ];
  for (const [given, problem] of cases) {
    test(`refuses ${JSON.stringify(given)}`, () => {
      assert.match(exceptions.safeParse(given).error?.issues[0]?.message ?? "accepted", problem);
    });
  }

  test("is empty by default", () => assert.deepEqual(exceptions.parse(undefined), []));
});
