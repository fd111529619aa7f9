import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { nonRootUser } from "../../policies/non-root-user.ts";
import { ownRules, rules } from "../../policies/policies.ts";
import { componentPolicies } from "../../policies/policy.ts";
import { sandboxExposure } from "../../policies/sandbox-exposure.ts";
import { sandboxNoNewPrivileges } from "../../policies/sandbox-no-new-privileges.ts";
import { hostResources, reported, serviceResource, unitResource, violations, withUnknown } from "./resource-args.ts";

const refusal =
  "[Service] NoNewPrivileges=no, wanted yes: its processes could gain privileges through setuid programs such as sudo";
const known = rules.find(({ name }) => name === "known-before-update");

test("each policy of this package has its name and severity", () => {
  const severities = ownRules.map(({ name, severity }) => `${name}: ${severity}`);
  assert.deepEqual(severities, [
    "sandbox-protect-system: high",
    "sandbox-no-new-privileges: high",
    "sandbox-tier: high",
    "sandbox-exposure: high",
    "exposure-ratchet: high",
    "non-root-user: high",
    "watchdog-required: medium",
    "restart-required: medium",
    "restart-paced: medium",
    "resource-limits: medium",
    "socket-loopback: high",
    "timer-jitter: medium",
    "health-check-required: medium",
    "host-key-pinned: critical",
    "escape-hatches: high",
    "sent-as-reviewed: critical",
    "waivers: high",
  ]);
});

suite("a rule about services", () => {
  for (const name of ["api.service", "api@.service", "api@blue.service"]) {
    test(`checks ${name}`, () => {
      assert.deepEqual(violations(sandboxNoNewPrivileges, serviceResource({ NoNewPrivileges: "no" }, name)), [
        `${name}: ${refusal}`,
      ]);
    });
  }

  for (const name of ["api.socket", "api.timer", "api.service.timer", "srv.mount"]) {
    test(`does not look at ${name}`, () => {
      assert.deepEqual(violations(sandboxNoNewPrivileges, serviceResource({}, name)), []);
    });
  }

  test("reads no other resource", () => {
    const resource = { ...serviceResource({}), type: "command:remote:Command" };
    assert.deepEqual(violations(sandboxNoNewPrivileges, resource), []);
  });

  test("leaves a unit whose arguments were refused to the component's own error", () => {
    assert.deepEqual(violations(sandboxNoNewPrivileges, { ...serviceResource({}), props: {} }), []);
  });

  test("reads the text where there is one", () => {
    const resource = unitResource("api.service", "[Service]\nNoNewPrivileges=no\n", {
      sections: { Service: { NoNewPrivileges: "yes" } },
    });
    assert.deepEqual(violations(sandboxNoNewPrivileges, resource), [`api.service: ${refusal}`]);
  });

  test("reads a service without a [Service] section", () => {
    const resource = { ...serviceResource({}), props: { sections: { Unit: { Description: "orders" } } } };
    assert.deepEqual(violations(sandboxNoNewPrivileges, resource), [
      `api.service: ${refusal.replace("=no", "= is not set")}`,
    ]);
  });

  test("reports a text that systemd refuses as a whole", () => {
    assert.deepEqual(violations(sandboxNoNewPrivileges, unitResource("api.service", "[Service\n")), [
      'api.service: systemd refuses the unit: line 1: a section header must end in "]", got "[Service"; comments need a line of their own',
    ]);
  });
});

suite("what is not known before the update", () => {
  const late = (...keys: string[]) => {
    const service = withUnknown({ Environment: "A=1", NoNewPrivileges: "yes", User: "orders" }, ...keys);
    return { ...serviceResource({}), props: withUnknown({ sections: { Service: service } }, "text") };
  };

  test("is told by known-before-update alone, with all checks that wait", () => {
    assert.ok(known);
    assert.deepEqual(reported([sandboxNoNewPrivileges, nonRootUser, known], [late("NoNewPrivileges", "User")]), [
      {
        policy: "known-before-update",
        message:
          "api.service: [Service] NoNewPrivileges is not known before the update, so these checks wait for it: sandbox-no-new-privileges",
      },
      {
        policy: "known-before-update",
        message:
          "api.service: [Service] User is not known before the update, so these checks wait for it: non-root-user",
      },
    ]);
  });

  test("does not stop a check that does not need it", () => {
    assert.ok(known);
    const checks = [sandboxNoNewPrivileges, nonRootUser, known];
    assert.deepEqual(reported(checks, [late("Environment")]), []);
    assert.deepEqual(
      reported([sandboxExposure, known], [late("Environment")]).map(({ policy }) => policy),
      ["sandbox-exposure"],
    );
  });

  test("names six checks that wait, and how many more", () => {
    assert.ok(known);
    const many = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ ...nonRootUser, name: `rule-${index + 1}` }));
    const told = (count: number) => reported([...many(count), known], [late("User")]).map(({ message }) => message);
    const start = "api.service: [Service] User is not known before the update, so these checks wait for it:";
    assert.deepEqual(told(6), [`${start} rule-1, rule-2, rule-3, rule-4, rule-5, rule-6`]);
    assert.deepEqual(told(8), [`${start} rule-1, rule-2, rule-3, rule-4, rule-5, rule-6 and 2 more`]);
  });

  test("lets checks wait that the config names", () => {
    assert.ok(known);
    const resource = { ...late("User"), config: { ignore: ["non-root-user"] } };
    assert.deepEqual(violations(known, resource), []);
    const both = componentPolicies([nonRootUser, known]);
    assert.equal(both.length, 2);
  });

  test("a whole section, and a whole unit", () => {
    assert.ok(known);
    const checks = [nonRootUser, known];
    const section = { ...serviceResource({}), props: { sections: withUnknown({}, "Service") } };
    assert.deepEqual(
      reported(checks, [section]).map(({ message }) => message),
      ["api.service: [Service] is not known before the update, so these checks wait for it: non-root-user"],
    );
    const unit = { ...serviceResource({}), props: withUnknown({}, "text", "sections") };
    assert.deepEqual(
      reported(checks, [unit]).map(({ message }) => message),
      ["api.service: [Service] is not known before the update, so these checks wait for it: non-root-user"],
    );
  });

  test("one value of a list makes the directive unknown", () => {
    assert.ok(known);
    const list = ["A=1"];
    Object.defineProperty(list, 1, {
      get: () => {
        throw new Error("string value at .1 can't be known during preview");
      },
    });
    const lints = rules.filter(({ name }) => name === "secret-in-environment");
    const props = { sections: { Service: { Environment: list } } };
    assert.deepEqual(
      reported([...lints, known], [{ ...serviceResource({}), props }]).map(({ message }) => message),
      [
        "api.service: [Service] Environment is not known before the update, so these checks wait for it: secret-in-environment",
      ],
    );
  });

  test("any other mistake is not hidden", () => {
    const props = {
      get sections() {
        throw new Error("broken");
      },
    };
    assert.throws(() => violations(nonRootUser, { ...serviceResource({}), props }), /broken/);
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

suite("a waived finding", () => {
  const waived = (until: string, policy = "sandbox-no-new-privileges") => {
    const resource = serviceResource({ NoNewPrivileges: "no" });
    return {
      ...resource,
      props: { ...resource.props, waive: [{ policy, reason: "calls sudo until ticket 12", until }] },
    };
  };
  const left: [until: string, words: string][] = [
    ["2027-04-01", "1 day left"],
    ["2027-03-31", "last day"],
    ["2027-06-29", "90 days left"],
  ];
  for (const [until, words] of left) {
    test(`until ${until} is shown with ${words} and stops nothing`, (t) => {
      t.mock.timers.enable({ apis: ["Date"], now: Date.parse("2027-03-31T20:00:00Z") });
      assert.deepEqual(violations(sandboxNoNewPrivileges, waived(until)), [
        `[advisory] waived until ${until} (${words}, calls sudo until ticket 12): api.service: ${refusal}`,
      ]);
    });
  }

  test("is refused after the last day", (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.parse("2027-04-01T00:00:00Z") });
    assert.deepEqual(violations(sandboxNoNewPrivileges, waived("2027-03-31")), [
      `api.service: ${refusal} (its waiver ended on 2027-03-31)`,
    ]);
  });

  test("is shown where its day comes as a moment, and refused where it is neither", (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.parse("2027-03-31T20:00:00Z") });
    const of = (until: string) => violations(sandboxNoNewPrivileges, waived(until));
    assert.deepEqual(of("2027-03-31T00:00:00Z"), of("2027-03-31"));
    assert.deepEqual(of("2027-03-31 00:00:00 +0000 UTC"), of("2027-03-31"));
    assert.deepEqual(of("2027-03-3T00:00:00Z1"), [`api.service: ${refusal}`]);
  });

  test("is refused again where the same unit has its waiver no more", (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.parse("2027-03-31T20:00:00Z") });
    const waive = [{ policy: "sandbox-no-new-privileges", reason: "calls sudo until ticket 12", until: "2027-04-01" }];
    const text = "[Service]\nNoNewPrivileges=no\n";
    const [first = "", ...more] = violations(
      sandboxNoNewPrivileges,
      unitResource("api.service", text, { waive }),
      unitResource("api.service", text),
    );
    assert.match(first, /^\[advisory\] waived/);
    assert.deepEqual(more, [`api.service: ${refusal}`]);
  });

  test("is refused where the waiver is for another policy, or has no date", (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.parse("2027-03-31T00:00:00Z") });
    assert.deepEqual(violations(sandboxNoNewPrivileges, waived("2027-06-01", "non-root-user")), [
      `api.service: ${refusal}`,
    ]);
    assert.deepEqual(violations(sandboxNoNewPrivileges, waived("soon")), [`api.service: ${refusal}`]);
  });
});

suite("what a host is sent in another form than it was registered", () => {
  test("is checked again, under the unit's name", () => {
    const text = "[Service]\nNoNewPrivileges=yes\n";
    const sent = hostResources("web1", { "api.service": "[Service]\nNoNewPrivileges=no\n" });
    assert.deepEqual(violations(sandboxNoNewPrivileges, unitResource("api.service", text), ...sent), [
      `api.service: ${refusal}`,
    ]);
  });

  test("... with the waiver of the unit that was registered", () => {
    const waive = [{ policy: "sandbox-no-new-privileges", reason: "calls sudo until ticket 12", until: "2999-01-01" }];
    const registered = unitResource("api.service", "[Service]\nNoNewPrivileges=yes\n", { waive });
    const sent = hostResources("web1", { "api.service": "[Service]\nNoNewPrivileges=no\n" });
    assert.match(violations(sandboxNoNewPrivileges, registered, ...sent)[0] ?? "", /^\[advisory\] waived until 2999/);
  });

  test("is checked once where it is the same", () => {
    const text = "[Service]\nNoNewPrivileges=no\n";
    const sent = hostResources("web1", { "api.service": text });
    assert.deepEqual(violations(sandboxNoNewPrivileges, unitResource("api.service", text), ...sent), [
      `api.service: ${refusal}`,
    ]);
  });
});

suite("what the SDK is given", () => {
  const given = (name: string) => {
    const found = componentPolicies(rules).find((policy) => policy.name === name);
    assert.ok(found, name);
    return found;
  };

  test("of a policy of its own: texts, framework, where it is explained, and the schema of its config", () => {
    const { validateResource, displayName: _, remediationSteps, tags, ...policy } = given("sandbox-protect-system");
    assert.equal(Reflect.get(validateResource as object, "__pulumiType"), undefined);
    assert.deepEqual(tags, ["sandbox"]);
    assert.match(remediationSteps ?? "", /^Set ProtectSystem=strict/);
    const text = { type: "string" };
    assert.deepEqual(JSON.parse(JSON.stringify(policy)), {
      name: "sandbox-protect-system",
      description:
        "Checks that a service cannot write to the operating system. See docs/policies.md#sandbox-protect-system",
      severity: "high",
      framework: {
        name: "NIST SP 800-53",
        version: "Rev. 5",
        reference: "AC-6",
        specification: "Least Privilege",
      },
      url: "docs/policies.md#sandbox-protect-system",
      configSchema: {
        properties: {
          minimum: {
            ...text,
            default: "full",
            description: "Weakest value of ProtectSystem= that passes.",
            enum: ["full", "strict"],
          },
          except: {
            default: [],
            description: "Resources that this policy lets pass.",
            type: "array",
            items: {
              type: "object",
              properties: {
                name: {
                  ...text,
                  minLength: 1,
                  description: "Name of the resource, with * for any text and ? for one character.",
                },
                component: {
                  ...text,
                  pattern: "^[^:]+:[^:]*:[^:]+$",
                  description: "Type of a component that the resource belongs to, such as systemd:index:HealthCheck.",
                },
                reason: {
                  ...text,
                  minLength: 10,
                  description: "Why, for the reviewer; shown in each preview that uses it.",
                },
              },
              required: ["reason"],
              additionalProperties: false,
              minProperties: 2,
            },
          },
        },
      },
    });
  });

  test("of a lint: its own page and level, a framework where one asks for it, and no other resource than units", () => {
    const secret = given("secret-in-environment");
    assert.equal(secret.url, "docs/lints.md#secret-in-environment");
    assert.match(secret.description, / See docs\/lints\.md#secret-in-environment$/);
    assert.deepEqual([secret.severity, secret.enforcementLevel], ["critical", "mandatory"]);
    assert.deepEqual(secret.framework?.reference, "IA-5(7)");
    assert.equal(Reflect.get(secret.validateResource as object, "__pulumiType"), "systemd:index:Unit");
    const install = given("no-install");
    assert.deepEqual([install.severity, install.enforcementLevel, "framework" in install], ["low", "advisory", false]);
    assert.equal("enforcementLevel" in given("non-root-user"), false);
  });

  for (const name of ["waivers", "timer-jitter", "activated-unit-missing", "known-before-update"]) {
    test(`of ${name}, which looks at more than units`, () => {
      assert.equal(Reflect.get(given(name).validateResource as object, "__pulumiType"), undefined);
    });
  }

  test("where nothing is configured", () => {
    const defaults = rules.map(({ name, config }) => {
      const { except, ...own } = config.parse({});
      assert.deepEqual(except, [], name);
      return [name, own] as const;
    });
    assert.deepEqual(Object.fromEntries(defaults.filter(([, own]) => Object.keys(own).length > 0)), {
      "sandbox-protect-system": { minimum: "full" },
      "sandbox-tier": { daemon: "basic", job: "basic", template: "basic" },
      "sandbox-exposure": { maximum: 2.5 },
      "exposure-ratchet": { baseline: "" },
      "watchdog-required": { minimum: "1s", maximum: "10min" },
      "restart-required": { accept: ["always", "on-failure", "on-abnormal", "on-abort", "on-watchdog"] },
      "restart-paced": { minimum: "1s", maximum: "10min" },
      "resource-limits": { require: ["MemoryMax"] },
      "socket-loopback": { addresses: [] },
      "timer-jitter": { hosts: 2 },
      "escape-hatches": { refuse: [] },
      waivers: { maximumDays: 180, maximumPerUnit: 3, maximum: 20, never: [] },
      "known-before-update": { ignore: [] },
    });
  });

  test("reports each problem of a config", () => {
    const resource = { ...serviceResource({ NoNewPrivileges: "yes" }), config: { except: [{}], x: 1 } };
    assert.match(
      violations(sandboxNoNewPrivileges, resource)[0] ?? "",
      /checks nothing: except: 0: .+; .*Unrecognized key: "x"/,
    );
  });
});

suite("the rules", () => {
  test("have names that differ", () => {
    assert.equal(new Set(rules.map(({ name }) => name)).size, rules.length);
  });
  test("of its own are mandatory where no config says otherwise", () => {
    assert.deepEqual(
      ownRules.filter(({ level }) => level !== undefined),
      [],
    );
  });
});
