import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { assignedTexts, mergedSections, unitFileOf, unitSections, valueText } from "../../systemd/sections.ts";
import { printUnitFile } from "../../systemd/unit-file.ts";

test("sections become a unit file: Unit first, Install last, one line for each item", () => {
  const file = unitFileOf({
    Install: { WantedBy: ["multi-user.target"] },
    Service: {
      Type: "oneshot",
      ExecStart: ["/bin/a", "/bin/b"],
      PrivateTmp: true,
      NoNewPrivileges: false,
      Nice: -5,
      User: undefined,
      Environment: [],
      CapabilityBoundingSet: "",
    },
    "X-Note": { Owner: "orders" },
    Timer: undefined,
    Socket: {},
    Unit: { Description: "x" },
  });
  assert.equal(
    printUnitFile(file),
    `[Unit]
Description=x

[Service]
Type=oneshot
ExecStart=/bin/a
ExecStart=/bin/b
PrivateTmp=yes
NoNewPrivileges=no
Nice=-5
CapabilityBoundingSet=

[X-Note]
Owner=orders

[Install]
WantedBy=multi-user.target
`,
  );
});

test("values become the text that systemd reads", () => {
  assert.deepEqual([true, false, 0, -5, 0.5, 1e21, 1e-7, 4294967295, "as is", ""].map(valueText), [
    "yes",
    "no",
    "0",
    "-5",
    "0.5",
    "1000000000000000000000",
    "0.0000001",
    "4294967295",
    "as is",
    "",
  ]);
  assert.throws(() => valueText(Number.NaN), new RangeError("a directive takes a finite number, got NaN"));
  assert.deepEqual(assignedTexts([1, true, "x"]), ["1", "yes", "x"]);
});

test("every finite number is written in decimal digits", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 }), (number) => {
      assert.match(valueText(number), /^-?\d+(\.\d*)?$/);
    }),
  );
});

test("an override takes the place of the base, new directives and sections come last", () => {
  const merged = mergedSections(
    { Unit: { Description: "a" }, Service: { Type: "exec", User: "orders", Restart: "always" } },
    { Service: { Nice: 5, User: "other", Type: undefined }, Timer: { OnCalendar: ["daily"] }, Install: undefined },
  );
  assert.deepEqual(merged, {
    Unit: { Description: "a" },
    Service: { Type: "exec", User: "other", Restart: "always", Nice: 5 },
    Timer: { OnCalendar: ["daily"] },
  });
  assert.deepEqual(Object.keys(merged), ["Unit", "Service", "Timer"]);
  assert.deepEqual(Object.keys(merged.Service ?? {}), ["Type", "User", "Restart", "Nice"]);
});

test("a default is taken out by an empty list or text; an empty text of a list directive is written", () => {
  assert.deepEqual(
    mergedSections(
      {
        Service: {
          MemoryMax: "1G",
          PrivateTmp: "yes",
          ReadWritePaths: ["/srv"],
          CapabilityBoundingSet: ["CAP_CHOWN"],
          AmbientCapabilities: ["CAP_CHOWN"],
          User: "orders",
        },
      },
      {
        Service: {
          MemoryMax: "",
          PrivateTmp: "",
          ReadWritePaths: [],
          CapabilityBoundingSet: "",
          AmbientCapabilities: [""],
          Nice: "",
          Unknown: "",
        },
      },
    ),
    { Service: { CapabilityBoundingSet: "", AmbientCapabilities: [""], User: "orders", Unknown: "" } },
  );
});

test("merging with nothing changes nothing, on either side", () => {
  const sections = { Unit: { Description: "x", After: ["a.target"] }, Service: { ExecStart: ["/bin/true"] } };
  assert.deepEqual(mergedSections(sections, {}), sections);
  assert.deepEqual(mergedSections({}, sections), sections);
  assert.deepEqual(mergedSections(sections, { Service: {}, Unit: undefined }), sections);
});

test("typed sections are sections, without those that have no value", () => {
  assert.deepEqual(
    unitSections({
      Unit: { After: ["a.target"] },
      Service: { ExecStart: ["/bin/true"], NoNewPrivileges: true, Nice: 5, ProtectSystem: "strict" },
      Install: undefined,
    }),
    {
      Unit: { After: ["a.target"] },
      Service: { ExecStart: ["/bin/true"], NoNewPrivileges: true, Nice: 5, ProtectSystem: "strict" },
    },
  );
});

test("an item of Object.prototype is no section", () => {
  const own = JSON.parse('{"__proto__": {"Nice": 5}, "Unit": {"Description": "x"}}');
  assert.deepEqual(
    unitFileOf(own).sections.map(({ name }) => name),
    ["Unit", "__proto__"],
  );
});
