import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { suite, test } from "node:test";
import type { PolicyPackConfig } from "@pulumi/policy";
import { type HealthCheckPlain, healthCheckSchema } from "../../components/health-check-args.ts";
import { healthServiceSections } from "../../components/health-check-sections.ts";
import { notifierSchema } from "../../components/notifier-args.ts";
import { deliverySections, failureSections } from "../../components/notifier-sections.ts";
import { pythonServicePlan } from "../../components/python-service.ts";
import { pythonServiceSchema } from "../../components/service-args.ts";
import { serviceSections } from "../../components/service-sections.ts";
import { ownRules, policies, rules } from "../../policies/policies.ts";
import { type UnitSections, unitFileOf } from "../../systemd/sections.ts";
import { printUnitFile } from "../../systemd/unit-file.ts";
import { reported, unitResource } from "./resource-args.ts";

const root = resolve(import.meta.dirname, "../..");
const directory = join(root, "policies/config");
const environments = readdirSync(directory).map((file) => file.replace(".json", ""));

function configOf(environment: string): PolicyPackConfig {
  return JSON.parse(readFileSync(join(directory, `${environment}.json`), "utf8"));
}

/** `POLICY MESSAGE` of all that stops a unit in an environment whose findings are mandatory. */
function foundIn(environment: string, sections: UnitSections, parents: string[], name = "api.service"): string[] {
  const all = configOf(environment);
  const text = printUnitFile(unitFileOf(sections));
  return rules.flatMap((rule) => {
    const own = all[rule.name];
    const { enforcementLevel: _, ...config } = typeof own === "object" ? own : {};
    const resource = { ...unitResource(name, text), config, parents };
    if (rule.level === "advisory") return [];
    const stopping = reported([rule], [resource]).filter(({ level }) => level === undefined);
    return stopping.map(({ policy, message }) => `${policy} ${message}`);
  });
}

suite("the policy configs of the environments", () => {
  test("are those of dev, staging and prod", () => assert.deepEqual(environments.sort(), ["dev", "prod", "staging"]));

  for (const environment of environments) {
    test(`${environment} names only policies, levels and keys that exist, with values that fit`, () => {
      const { all, ...perPolicy } = configOf(environment);
      assert.ok(all === undefined || all === "advisory", String(all));
      for (const [name, given] of Object.entries(perPolicy)) {
        const rule = rules.find((known) => known.name === name);
        assert.ok(rule, `${name} is no policy`);
        const { enforcementLevel = "mandatory", ...config } =
          typeof given === "object" ? given : { enforcementLevel: given };
        assert.match(enforcementLevel, /^(advisory|mandatory|disabled)$/);
        assert.deepEqual(rule.config.safeParse(config).error, undefined, name);
      }
    });
  }
});

suite("what the components make by default", () => {
  const inService = ["systemd:index:PythonService"];
  const limited = { exec: ["python", "-m", "orders"], directory: "/opt/orders", service: { MemoryMax: "512M" } };
  const sectionsOf = (args: object) =>
    serviceSections("api", pythonServicePlan("api", pythonServiceSchema.parse({ ...limited, ...args })).args);
  const healthCheck: HealthCheckPlain = healthCheckSchema.parse({
    unit: { unitName: "api.service" },
    http: { url: "http://127.0.0.1:8000/health" },
  });

  for (const environment of environments) {
    test(`a watched service passes in ${environment}`, () => {
      assert.deepEqual(foundIn(environment, sectionsOf({ user: "orders", watchdogSec: "30s" }), inService), []);
    });

    test(`a service with nothing but a limit passes in ${environment}`, () => {
      assert.deepEqual(foundIn(environment, sectionsOf({}), inService), []);
    });

    test(`a service without a limit is told so in ${environment}`, () => {
      assert.deepEqual(foundIn(environment, sectionsOf({ service: {} }), inService), [
        "resource-limits api.service: [Service] MemoryMax= is not set, wanted a limit: a leak takes the memory of all that runs on the host, and the kernel ends what it likes",
      ]);
    });

    test(`a job passes in ${environment}`, () => {
      const job = sectionsOf({ type: "oneshot", onDemand: true, timeoutStartSec: "1h" });
      assert.deepEqual(foundIn(environment, job, inService), []);
    });

    test(`a health check passes in ${environment}, as root by exception`, (t) => {
      const warn = t.mock.method(console, "warn", () => undefined);
      const sections = healthServiceSections("shop-prod", "api.service", "Health checks", healthCheck.service);
      assert.deepEqual(foundIn(environment, sections, ["systemd:index:HealthCheck"]), []);
      const excepted = warn.mock.calls.map((call) => String(call.arguments[0]).split(":")[0]);
      assert.ok(excepted.includes("non-root-user excepted (only root may restart the unit that it watches)"));
    });

    test(`a notifier passes in ${environment}, as root by exception`, (t) => {
      const warn = t.mock.method(console, "warn", () => undefined);
      const inNotifier = ["systemd:index:Notifier"];
      const notifier = notifierSchema.parse({ command: ["/usr/local/bin/tell"] });
      assert.deepEqual(foundIn(environment, deliverySections("shop-prod", "ops", notifier), inNotifier), []);
      assert.deepEqual(foundIn(environment, failureSections("shop-prod", "ops"), inNotifier, "ops@.service"), []);
      const excepted = warn.mock.calls.map((call) => String(call.arguments[0]).split(" ")[0]);
      assert.deepEqual(excepted, ["non-root-user", "resource-limits", "non-root-user", "resource-limits"]);
    });

    test(`the same unit outside of a HealthCheck is refused in ${environment}`, () => {
      const found = foundIn(
        environment,
        healthServiceSections("shop-prod", "api.service", "Health checks", healthCheck.service),
        inService,
      );
      assert.ok(
        found.includes(
          "non-root-user api.service: [Service] User= is not set, wanted an account of its own, or DynamicUser=yes: whoever takes over the process is root on the host",
        ),
        found.join("\n"),
      );
    });
  }
});

suite("the policies", () => {
  const pages = ["docs/policies.md", "docs/lints.md"].map((page) => [page, readFileSync(join(root, page), "utf8")]);
  const documentation = Object.fromEntries(pages);
  for (const policy of policies) {
    test(`${policy.name} is documented, explained and says how to fix`, () => {
      assert.match(policy.name, /^[a-z]+(-[a-z0-9]+)*$/);
      const [page = "", heading] = policy.url?.split("#") ?? [];
      assert.equal(heading, policy.name);
      const isThere = new RegExp(`^#{2,4} \`?${policy.name}\`?$`, "m").test(documentation[page] ?? "");
      assert.ok(isThere, `${page} has no section ${policy.name}`);
      assert.ok(policy.description.endsWith(`. See ${policy.url}`), policy.description);
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

  test("of the pack's own say what they check", () => {
    for (const { name, description } of ownRules) assert.match(description, /^(Checks that|Lists) .+\.$/, name);
  });
});
