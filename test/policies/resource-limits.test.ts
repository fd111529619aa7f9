import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { resourceLimits } from "../../policies/resource-limits.ts";
import { serviceResource, violations } from "./resource-args.ts";

const leak = "a leak takes the memory of all that runs on the host, and the kernel ends what it likes";

suite("resource-limits", () => {
  for (const value of ["512M", "50%", "1", ["infinity", "1G"]]) {
    test(`passes MemoryMax=${value}`, () => {
      assert.deepEqual(violations(resourceLimits, serviceResource({ MemoryMax: value })), []);
    });
  }
  for (const [found, service] of [
    ["MemoryMax= is not set", {}],
    ["MemoryMax= is not set", { MemoryMax: "" }],
    ["MemoryMax=infinity", { MemoryMax: "infinity" }],
    ["MemoryMax=infinity", { MemoryMax: ["1G", "infinity"] }],
  ] as const) {
    test(`refuses ${JSON.stringify(service)}`, () => {
      const { MemoryMax } = service as { MemoryMax?: string | string[] };
      const resource = serviceResource(MemoryMax === undefined ? {} : { MemoryMax });
      assert.deepEqual(violations(resourceLimits, resource), [
        `api.service: [Service] ${found}, wanted a limit: ${leak}`,
      ]);
    });
  }
  test("asks for what the config names, each in a finding of its own", () => {
    const resource = {
      ...serviceResource({ MemoryMax: "1G" }),
      config: { require: ["MemoryMax", "TasksMax", "CPUQuota"] },
    };
    assert.deepEqual(violations(resourceLimits, resource), [
      "api.service: [Service] TasksMax= is not set, wanted a limit: a fork bomb takes the process table of the host",
      "api.service: [Service] CPUQuota= is not set, wanted a limit: a busy loop takes the processors of the host",
    ]);
  });
  test("refuses a config with another name, or none", () => {
    for (const require of [["MemoryMin"], []]) {
      const [message = ""] = violations(resourceLimits, { ...serviceResource({}), config: { require } });
      assert.match(message, /^the config of resource-limits is wrong, so it checks nothing: require: /);
    }
  });
});
