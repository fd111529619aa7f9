import assert from "node:assert/strict";
import { test } from "node:test";
import {
  directiveBlocks,
  directiveOf,
  directivesOf,
  nearestDirective,
  sectionNames,
  sectionsOf,
} from "../../systemd/directives.ts";

test("a directive is found in each section that takes its block", () => {
  const sections = (name: string) => sectionNames.filter((section) => directiveOf(section, name) !== undefined);
  assert.deepEqual(
    Object.fromEntries(
      ["ExecStart", "User", "KillMode", "MemoryMax", "After", "WantedBy", "Unit", "TimeoutStopSec"].map((name) => [
        name,
        sections(name),
      ]),
    ),
    {
      ExecStart: ["Service"],
      User: ["Service", "Socket", "Mount", "Swap"],
      KillMode: ["Service", "Socket", "Mount", "Swap", "Scope"],
      MemoryMax: ["Service", "Socket", "Mount", "Swap", "Slice", "Scope"],
      After: ["Unit"],
      WantedBy: ["Install"],
      Unit: ["Timer", "Path"],
      TimeoutStopSec: ["Service", "Scope"],
    },
  );
});

test("a directive of a shared block is of no section where systemd ignores it", () => {
  const sections = (name: string) => sectionNames.filter((section) => directiveOf(section, name) !== undefined);
  assert.deepEqual(sections("Delegate"), ["Service", "Scope"]);
  for (const name of ["ManagedOOMMemoryPressure", "ManagedOOMMemoryPressureLimit", "ManagedOOMSwap"])
    assert.deepEqual(sections(name), ["Service", "Slice", "Scope"]);
  assert.deepEqual(sections("ManagedOOMPreference"), ["Service", "Socket", "Mount", "Swap", "Slice", "Scope"]);
});

test("a directive says what is known of it", () => {
  assert.deepEqual(directiveOf("Service", "ProtectControlGroups"), {
    name: "ProtectControlGroups",
    section: "Exec",
    kind: "enum",
    list: false,
    empty: "ignored",
    values: ["no", "yes", "private", "strict"],
    valuesSince: { private: 257, strict: 257 },
    booleans: true,
    since: 232,
  });
  assert.deepEqual(directiveOf("Service", "RestartSteps"), {
    name: "RestartSteps",
    section: "Service",
    kind: "integer",
    list: false,
    empty: "ignored",
    min: 0,
    max: 4294967295,
    since: 254,
  });
});

test("what is no directive of a section is not found, nor a name of every JavaScript object", () => {
  for (const name of ["execstart", "WantedBy", "", "toString", "__proto__", "constructor"]) {
    assert.equal(directiveOf("Service", name), undefined, name);
  }
  assert.equal(directiveOf("Exec", "User"), undefined);
  assert.equal(directiveOf("constructor", "name"), undefined);
});

test("the table holds all directives of systemd 247 to 257, each name once in a section", () => {
  const counts = Object.fromEntries(Object.entries(directiveBlocks).map(([block, list]) => [block, list.length]));
  assert.deepEqual(counts, {
    Unit: 116,
    Install: 6,
    Service: 49,
    Socket: 63,
    Timer: 16,
    Path: 10,
    Exec: 151,
    Kill: 7,
    CGroup: 71,
    Mount: 10,
    Automount: 4,
    Swap: 4,
    Scope: 4,
  });
  assert.equal(directivesOf("Service").length, 49 + 151 + 7 + 71);
  assert.deepEqual(directivesOf("Sevice"), []);
});

test("each type of unit has its sections, in the order in which they are written", () => {
  assert.deepEqual(["service", "slice", "target", "device", "mount", "nonsense"].map(sectionsOf), [
    ["Unit", "Service", "Install"],
    ["Unit", "Slice", "Install"],
    ["Unit", "Install"],
    ["Unit", "Install"],
    ["Unit", "Mount", "Install"],
    ["Unit", "Install"],
  ]);
});

test("a name that is known elsewhere belongs there, a misspelt one has a neighbour", () => {
  assert.deepEqual(
    [
      nearestDirective("Service", "StartLimitIntervalSec"),
      nearestDirective("Service", "WantedBy"),
      nearestDirective("Service", "OnCalendar"),
      nearestDirective("Service", "ProtectSytem"),
      nearestDirective("Service", "execstart"),
      nearestDirective("Service", "Afetr"),
      nearestDirective("Timer", "RandomisedDelaySec"),
      nearestDirective("Service", "Colour"),
    ],
    [
      { name: "StartLimitIntervalSec", section: "Unit" },
      { name: "WantedBy", section: "Install" },
      { name: "OnCalendar", section: "Timer" },
      { name: "ProtectSystem", section: "Service" },
      { name: "ExecStart", section: "Service" },
      { name: "After", section: "Unit" },
      { name: "RandomizedDelaySec", section: "Timer" },
      undefined,
    ],
  );
});
