// data/exposure-cases.json holds what the real tool says of each unit, versions 252.39 and 257.13 (Debian 12 and 13):
//   systemd-analyze security --offline=yes NAME.service                                      exposure and rating
//   SYSTEMD_ANALYZE_DEBUG=1 systemd-analyze security --offline=yes --json=short NAME.service  badness and shares
// Badness and shares are those of the 81 tests in our table's order, "-" for "does not apply" and for no share.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { exposureFacts } from "../../systemd/exposure/facts.ts";
import { type ExposureTest, exposureOf, exposureOfSections } from "../../systemd/exposure.ts";
import { parseUnitFile, unitModel } from "../../systemd/unit-file.ts";
import cases from "./data/exposure-cases.json" with { type: "json" };

const shown = (values: readonly (number | string | null)[]): string => values.map((value) => value ?? "-").join(" ");

const summary = (tests: readonly ExposureTest[]) => ({
  badness: shown(tests.map(({ badness }) => badness)),
  shares: shown(tests.map(({ exposure }) => exposure?.toFixed(1) ?? null)),
});

describe("exposureOf", () => {
  for (const { name, unit, ...recorded } of cases)
    it(`meets systemd-analyze security of 252 and 257: ${name}`, () => {
      const file = parseUnitFile(unit);
      for (const systemd of [252, 257] as const) {
        const { exposure, rating, tests } = exposureOf("case.service", file, { systemd });
        assert.deepEqual({ exposure, rating, ...summary(tests) }, recorded[systemd], `systemd ${systemd}`);
      }
    });

  it("takes an unset PrivateMounts= for a bad one, unless the offline tool of 253 or newer is asked for", () => {
    const file = parseUnitFile("[Service]\nExecStart=/bin/true\n");
    const exposures = [undefined, 252, 253, 255, 257].map(
      (systemd) => exposureOf("a.service", file, systemd === undefined ? {} : { systemd }).exposure,
    );
    assert.deepEqual(exposures, [9.6, 9.6, 9.4, 9.4, 9.4]);
  });

  it("knows the time namespace, which no test of its own scores", () => {
    const exposures = ["mnt", "time mnt", "~time", "yes"].map(
      (types) =>
        exposureOf("a.service", parseUnitFile(`[Service]\nExecStart=/bin/true\nRestrictNamespaces=${types}\n`))
          .exposure,
    );
    assert.deepEqual(exposures, [8.9, 8.9, 9.6, 8.8]);
  });

  it("gives every bad test a description and, but for the root directory, a line that makes it good", () => {
    const entry = (key: string, value: string) => ({ key, value });
    const bad = [
      entry("User", "orders"),
      entry("SupplementaryGroups", "audio"),
      entry("KeyringMode", "shared"),
      entry("NotifyAccess", "all"),
      entry("Delegate", "yes"),
      entry("AmbientCapabilities", "CAP_CHOWN"),
      entry("UMask", "0000"),
    ];
    const before = exposureOf("a.service", { sections: [{ name: "Service", entries: bad }] });
    const failing = before.tests.filter(({ set }) => set !== true);
    assert.deepEqual(
      failing.filter((test) => test.improve === undefined).map(({ id }) => id),
      ["RootDirectory=/RootImage="],
    );
    assert.ok(failing.every(({ description }) => description?.startsWith("the service ")));
    for (const { id, improve } of failing) {
      if (improve === undefined) continue;
      const entries = [...bad, entry(improve.directive, improve.value)];
      const after = exposureOf("a.service", { sections: [{ name: improve.section, entries }] });
      assert.equal(
        after.tests.find((test) => test.id === id)?.set,
        true,
        `${id} after ${improve.directive}=${improve.value}`,
      );
    }
  });

  it("improves a service that runs as root by a user", () => {
    const test = exposureOf("a.service", { sections: [] }).tests.find(({ id }) => id === "User=/DynamicUser=");
    assert.deepEqual(test, {
      id: "User=/DynamicUser=",
      set: false,
      badness: 10,
      range: 10,
      weight: 2000,
      exposure: 0.4,
      description: "the service runs as root, or as nobody, which other services share",
      improve: { section: "Service", directive: "DynamicUser", value: "yes" },
      mayBreak:
        "files owned by root or by another account, and a state that other services read: give it StateDirectory=, or a User= of its own",
    });
  });

  it("knows that aarch64 has no obsolete, CPU emulation and raw I/O calls", () => {
    const file = parseUnitFile("[Service]\nSystemCallFilter=~@swap\n");
    const good = (["x86_64", "aarch64"] as const).map((architecture) =>
      exposureOf("a.service", file, { architecture })
        .tests.filter(({ id, set }) => id.startsWith("SystemCallFilter=") && set)
        .map(({ id }) => id),
    );
    assert.deepEqual(good, [
      ["SystemCallFilter=~@swap"],
      [
        "SystemCallFilter=~@swap",
        "SystemCallFilter=~@obsolete",
        "SystemCallFilter=~@cpu-emulation",
        "SystemCallFilter=~@raw-io",
      ],
    ]);
  });

  it("scores services only", () => {
    assert.throws(() => exposureOf("a.socket", { sections: [] }), {
      name: "RangeError",
      message: 'exposure of unit "a.socket": only services (NAME.service) have a score',
    });
  });
});

describe("exposureOfSections", () => {
  it("says of a unit's model what exposureOf says of its file", () => {
    for (const { unit } of cases) {
      const file = parseUnitFile(unit);
      assert.deepEqual(exposureOfSections("case.service", unitModel(file)), exposureOf("case.service", file));
    }
  });
});

describe("exposureFacts", () => {
  it("has the 81 tests of systemd 252 with their weights", () => {
    assert.equal(exposureFacts.length, 81);
    assert.equal(new Set(exposureFacts.map(({ id }) => id)).size, 81);
    assert.equal(
      exposureFacts.reduce((sum, { weight }) => sum + weight, 0),
      56_460,
    );
  });
});
