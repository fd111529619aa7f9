import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { sandboxNoNewPrivileges } from "../../policies/sandbox-no-new-privileges.ts";
import { NotApplicable, serviceResource, violations } from "./resource-args.ts";

const refusal =
  "[Service] NoNewPrivileges=no, wanted yes: its processes could gain privileges through setuid programs such as sudo";

suite("servicePolicy", () => {
  for (const name of ["api.service", "api@.service", "api@blue.service"]) {
    test(`checks ${name}`, () => {
      assert.deepEqual(violations(sandboxNoNewPrivileges, serviceResource({ NoNewPrivileges: "no" }, name)), [
        `${name}: ${refusal}`,
      ]);
    });
  }

  for (const name of ["api.socket", "api.timer", "api.service.timer", "srv.mount"]) {
    test(`says that it does not apply to ${name}`, () => {
      assert.throws(
        () => violations(sandboxNoNewPrivileges, serviceResource({}, name)),
        new NotApplicable("only services are checked"),
      );
    });
  }

  test("reads no other resource", () => {
    const resource = { ...serviceResource({}), type: "command:remote:Command" };
    assert.deepEqual(violations(sandboxNoNewPrivileges, resource), []);
  });

  test("leaves a unit whose arguments were refused to the component's own error", () => {
    const resource = { ...serviceResource({}), props: {} };
    assert.throws(() => violations(sandboxNoNewPrivileges, resource), new NotApplicable("the unit has no content"));
  });

  test("reads the text where the sections are missing", () => {
    const resource = { ...serviceResource({}), props: { text: "[Service]\nNoNewPrivileges=no\n" } };
    assert.deepEqual(violations(sandboxNoNewPrivileges, resource), [`api.service: ${refusal}`]);
  });

  test("reads a service without a [Service] section", () => {
    const resource = { ...serviceResource({}), props: { sections: { Unit: { Description: "orders" } } } };
    assert.deepEqual(violations(sandboxNoNewPrivileges, resource), [
      `api.service: ${refusal.replace("=no", "= is not set")}`,
    ]);
  });

  test("lets an unknown value through to the SDK, which makes an advisory of it", () => {
    const service = Object.defineProperty({}, "NoNewPrivileges", {
      get: () => {
        throw new Error("string value at .sections.Service.NoNewPrivileges can't be known during preview");
      },
    });
    const resource = { ...serviceResource({}), props: { sections: { Service: service } } };
    assert.throws(() => violations(sandboxNoNewPrivileges, resource), /can't be known during preview/);
  });

  test("ignores unknown values that it does not need", () => {
    const service = Object.defineProperty({ NoNewPrivileges: "yes" }, "Environment", {
      get: () => {
        throw new Error("string value at .sections.Service.Environment can't be known during preview");
      },
    });
    const resource = { ...serviceResource({}), props: { sections: { Service: service } } };
    assert.deepEqual(violations(sandboxNoNewPrivileges, resource), []);
  });
});

suite("the config of a policy", () => {
  test("a misspelt key is reported, not taken for the default", () => {
    const resource = { ...serviceResource({ NoNewPrivileges: "yes" }), config: { excpet: [] } };
    assert.deepEqual(violations(sandboxNoNewPrivileges, resource), [
      'the config of sandbox-no-new-privileges is wrong, so it checks nothing: Unrecognized key: "excpet"',
    ]);
  });

  test("an exception turns a violation into a line that each preview shows", (t) => {
    const warn = t.mock.method(console, "warn", () => undefined);
    const resource = serviceResource({ NoNewPrivileges: "no" }, "backup.service");
    resource.config = { except: [{ name: "backup.service", reason: "calls sudo until ticket 12" }] };
    assert.deepEqual(violations(sandboxNoNewPrivileges, resource), []);
    assert.deepEqual(
      warn.mock.calls.map((call) => call.arguments),
      [[`sandbox-no-new-privileges excepted (calls sudo until ticket 12): backup.service: ${refusal}`]],
    );
  });

  test("an exception by component is no exception for a unit that only has its name", (t) => {
    t.mock.method(console, "warn", () => undefined);
    const config = { except: [{ component: "systemd:index:HealthCheck", reason: "restarts what it watches" }] };
    const resource = { ...serviceResource({ NoNewPrivileges: "no" }, "api-health.service"), config };
    assert.deepEqual(violations(sandboxNoNewPrivileges, resource), [`api-health.service: ${refusal}`]);
    const inside = { ...resource, parents: ["systemd:index:HealthCheck"] };
    assert.deepEqual(violations(sandboxNoNewPrivileges, inside), []);
  });

  test("an exception that is not needed says nothing", (t) => {
    const warn = t.mock.method(console, "warn", () => undefined);
    const resource = serviceResource({ NoNewPrivileges: "yes" });
    resource.config = { except: [{ name: "*", reason: "not needed any more" }] };
    assert.deepEqual(violations(sandboxNoNewPrivileges, resource), []);
    assert.equal(warn.mock.callCount(), 0);
  });
});
