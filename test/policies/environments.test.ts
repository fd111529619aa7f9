import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { suite, test } from "node:test";
import type { PolicyPackConfig } from "@pulumi/policy";
import { type HealthCheckPlain, healthCheckSchema } from "../../components/health-check-args.ts";
import { healthServiceSections } from "../../components/health-check-sections.ts";
import { notifierSchema } from "../../components/notifier-args.ts";
import { deliverySections, failureSections } from "../../components/notifier-sections.ts";
import { pythonServiceSchema } from "../../components/service-args.ts";
import { serviceSections } from "../../components/service-sections.ts";
import { policies } from "../../policies/policies.ts";
import { type UnitSections, unitFileOf } from "../../systemd/sections.ts";
import { unitModel } from "../../systemd/unit-file.ts";
import { type FakeResource, violations } from "./resource-args.ts";

const root = resolve(import.meta.dirname, "../..");
const directory = join(root, "policies/config");

function configOf(environment: string): PolicyPackConfig {
  return JSON.parse(readFileSync(join(directory, `${environment}.json`), "utf8"));
}

/** All that the pack reports for a unit in an environment. */
function reported(environment: string, sections: UnitSections, parents: string[]): string[] {
  const all = configOf(environment);
  return policies.flatMap((policy) => {
    const config = all[policy.name];
    const resource: FakeResource = {
      type: "systemd:index:Unit",
      name: "api.service",
      props: { text: "", sections: unitModel(unitFileOf(sections)) },
      config: typeof config === "object" ? config : {},
      parents,
    };
    return violations(policy, resource);
  });
}

suite("the policy configs of the environments", () => {
  for (const file of readdirSync(directory)) {
    test(`${file} names only policies and keys that exist`, () => {
      const { all, ...perPolicy } = JSON.parse(readFileSync(join(directory, file), "utf8")) as PolicyPackConfig;
      assert.match(String(all), /^(advisory|mandatory)$/);
      for (const [name, config] of Object.entries(perPolicy)) {
        const policy = policies.find((known) => known.name === name);
        assert.ok(policy, `${name} is no policy`);
        const known = ["enforcementLevel", ...Object.keys(policy.configSchema?.properties ?? {})];
        assert.deepEqual(
          Object.keys(typeof config === "object" ? config : {}).filter((key) => !known.includes(key)),
          [],
        );
      }
    });
  }

  test("dev advises, prod insists", () => {
    assert.deepEqual([configOf("dev").all, configOf("prod").all], ["advisory", "mandatory"]);
  });
});

suite("what the components make by default", () => {
  const inService = ["systemd:index:PythonService"];
  const exec = ["python", "-m", "orders"];
  const watched = pythonServiceSchema.parse({ exec, user: "orders", watchdogSec: "30s" });
  const healthCheck: HealthCheckPlain = healthCheckSchema.parse({
    unit: { unitName: "api.service" },
    http: { url: "http://127.0.0.1:8000/health" },
  });

  for (const environment of ["dev", "prod"]) {
    test(`a watched service passes in ${environment}`, () => {
      assert.deepEqual(reported(environment, serviceSections("api", watched), inService), []);
    });

    test(`a service without arguments passes in ${environment}`, () => {
      const plain = pythonServiceSchema.parse({ exec });
      assert.deepEqual(reported(environment, serviceSections("api", plain), inService), []);
    });

    test(`a health check passes in ${environment}, as root by exception`, (t) => {
      const warn = t.mock.method(console, "warn", () => undefined);
      const sections = healthServiceSections("shop-prod", "api.service", "Health checks", healthCheck.service);
      assert.deepEqual(reported(environment, sections, ["systemd:index:HealthCheck"]), []);
      assert.deepEqual(
        warn.mock.calls.map((call) => String(call.arguments[0]).split(":")[0]),
        ["non-root-user excepted (only root may restart the unit that it watches)"],
      );
    });

    test(`a notifier passes in ${environment}, as root by exception`, (t) => {
      const warn = t.mock.method(console, "warn", () => undefined);
      const inNotifier = ["systemd:index:Notifier"];
      const notifier = notifierSchema.parse({ command: ["/usr/local/bin/tell"] });
      assert.deepEqual(reported(environment, deliverySections("shop-prod", "ops", notifier), inNotifier), []);
      assert.deepEqual(reported(environment, failureSections("shop-prod", "ops"), inNotifier), []);
      assert.equal(warn.mock.callCount(), 2);
    });

    test(`the same unit outside of a HealthCheck is refused in ${environment}`, () => {
      assert.deepEqual(
        reported(
          environment,
          healthServiceSections("shop-prod", "api.service", "Health checks", healthCheck.service),
          inService,
        ),
        [
          "api.service: [Service] User= is not set, wanted an account of its own, or DynamicUser=yes: whoever takes over the process is root on the host",
        ],
      );
    });
  }
});

suite("the policies", () => {
  const documentation = readFileSync(join(root, "docs/policies.md"), "utf8");
  for (const policy of policies) {
    test(`${policy.name} is documented, explained and says how to fix`, () => {
      assert.match(policy.name, /^[a-z]+(-[a-z]+)+$/);
      assert.ok(documentation.includes(`\n## ${policy.name}\n`), `docs/policies.md has no section ${policy.name}`);
      assert.match(policy.description, new RegExp(`^Checks that .+\\. See docs/policies\\.md#${policy.name}$`));
      assert.ok(policy.severity && policy.displayName && policy.remediationSteps && policy.tags?.length);
    });

    test(`${policy.name} has a default for every key of its config`, () => {
      const properties = Object.entries(policy.configSchema?.properties ?? {});
      assert.deepEqual(
        properties.filter(([, schema]) => schema.default === undefined || schema.description === undefined),
        [],
      );
    });
  }

  test("have names that differ", () => {
    assert.equal(new Set(policies.map(({ name }) => name)).size, policies.length);
  });
});
