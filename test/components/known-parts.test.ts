import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { validArguments } from "../../components/argument-error.ts";
import { knownParts } from "../../components/known-parts.ts";
import { serviceSchema } from "../../components/service-args.ts";
import { serviceSections } from "../../components/service-sections.ts";
import { partlyRenderedUnit, type RenderedUnit } from "../../components/unit.ts";

const unknown = pulumi.unknown;

/** What a service's unit is, where parts of its arguments are unknown. */
function unitOf(args: object) {
  const sections = knownParts({ exec: ["/usr/bin/api"], ...args }, (plain) =>
    serviceSections("api", validArguments(serviceSchema, plain)),
  );
  return pulumi.isUnknown(sections)
    ? (pulumi.unknown as unknown as RenderedUnit)
    : partlyRenderedUnit("api.service", sections);
}

/** The directives that are not known, `Service.User`. */
function unknownDirectives({ sections }: ReturnType<typeof unitOf>): string[] {
  return Object.entries(sections).flatMap(([section, directives]) =>
    Object.entries(directives)
      .filter(([, value]) => pulumi.containsUnknowns(value))
      .map(([key]) => `${section}.${key}`),
  );
}

suite("a service with arguments that are not known yet", () => {
  const cases: [what: string, args: object, unknownOnes: string[]][] = [
    ["a variable", { environment: { DATABASE: unknown, MODE: "fast" } }, ["Service.Environment"]],
    ["all variables", { environment: unknown }, []],
    ["a word of the command", { exec: ["/usr/bin/api", "--db", unknown] }, ["Service.ExecStart"]],
    ["a time span", { watchdogSec: unknown }, ["Service.WatchdogSec"]],
    ["a path", { workingDirectory: unknown }, ["Service.WorkingDirectory"]],
    ["an account", { user: unknown }, ["Service.User"]],
    ["a size", { service: { MemoryMax: unknown } }, ["Service.MemoryMax"]],
    ["an address", { service: { IPAddressAllow: [unknown] } }, ["Service.IPAddressAllow"]],
    ["a switch", { service: { PrivateTmp: unknown } }, ["Service.PrivateTmp"]],
    ["a list of units", { requires: [unknown] }, ["Unit.Requires", "Unit.After"]],
    ["two of different kinds", { watchdogSec: unknown, user: unknown }, ["Service.User", "Service.WatchdogSec"]],
  ];
  for (const [what, args, unknownOnes] of cases) {
    test(`${what}: the other directives are known, the text is not`, () => {
      const unit = unitOf(args);
      if (unknownOnes.length === 0) return assert.ok(pulumi.isUnknown(unit));
      assert.deepEqual(unknownDirectives(unit).sort(), unknownOnes.sort());
      assert.ok(pulumi.isUnknown(unit.text));
      assert.equal(unit.sections.Service?.NoNewPrivileges, "yes");
      assert.equal(unit.definition.units[0]?.name, "api.service");
    });
  }

  test("an element of a list: the whole directive", () => {
    const { sections } = partlyRenderedUnit("api.service", {
      Service: { ExecStart: "/bin/true", Environment: ["A=1", unknown] },
      onDemand: unknown,
    });
    assert.deepEqual(sections, { Service: { ExecStart: "/bin/true", Environment: unknown } });
  });

  test("a whole section", () => {
    const { sections } = partlyRenderedUnit("api.service", { Unit: { Description: "api" }, Service: unknown });
    assert.deepEqual(sections, { Unit: { Description: "api" }, Service: unknown });
  });

  test("nothing of what stood for an unknown value is left", () => {
    assert.doesNotMatch(JSON.stringify(unitOf({ environment: { DATABASE: unknown } })), /unknown\d|70\d/);
  });

  test("a mistake in what is known leaves all unknown; the update tells it", () => {
    assert.ok(pulumi.isUnknown(unitOf({ environment: { DATABASE: unknown }, restart: "sometimes" })));
  });
});

suite("knownParts", () => {
  test("keeps what does not depend on an unknown part", () => {
    const value = { a: 1, list: ["x", unknown], deep: { b: unknown } };
    assert.deepEqual(
      knownParts(value, ({ a, list, deep }) => ({ sum: a + 1, joined: list.join(), list, deep })),
      { sum: 2, joined: unknown, list: ["x", unknown], deep: { b: unknown } },
    );
  });

  test("does not tell lengths, kinds or keys that differ", () => {
    const step = ({ a }: { a: string }) => ({ [a]: 1, list: a.endsWith("x") ? [1] : [1, 2], kind: a.endsWith("x") });
    const { list, kind, ...others } = knownParts({ a: unknown as unknown as string }, step);
    assert.ok([list, kind, ...Object.values(others)].every(pulumi.isUnknown));
  });

  test("is unknown as a whole where no stand fits", () => {
    const step = () => {
      throw new Error("never");
    };
    assert.ok(pulumi.isUnknown(knownParts({ a: unknown, b: unknown }, step)));
    assert.ok(pulumi.isUnknown(knownParts({ a: unknown }, step)));
  });

  test("leaves resources and dates alone", () => {
    const date = new Date(0);
    assert.deepEqual(
      knownParts({ date, a: unknown }, (value) => value),
      { date, a: unknown },
    );
  });
});
