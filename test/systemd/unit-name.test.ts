import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import {
  escapedPath,
  escapedUnitNamePart,
  instanceOf,
  parsedUnitName,
  type UnitName,
  unescapedPath,
  unescapedUnitNamePart,
  unitNameProblem,
} from "../../systemd/unit-name.ts";
import { writableText } from "./writable-text.ts";

suite("parsedUnitName", () => {
  const cases: UnitName[] = [
    { name: "api.service", prefix: "api", type: "service", isTemplate: false },
    { name: "a.b-c.timer", prefix: "a.b-c", type: "timer", isTemplate: false },
    { name: "getty@.service", prefix: "getty", type: "service", isTemplate: true },
    { name: "getty@tty1.service", prefix: "getty", instance: "tty1", type: "service", isTemplate: false },
    { name: "a@b@c.d.socket", prefix: "a", instance: "b@c.d", type: "socket", isTemplate: false },
    { name: "srv-my\\x20data.mount", prefix: "srv-my\\x20data", type: "mount", isTemplate: false },
    { name: "-.slice", prefix: "-", type: "slice", isTemplate: false },
    { name: "service.service", prefix: "service", type: "service", isTemplate: false },
  ];
  for (const expected of cases) test(expected.name, () => assert.deepEqual(parsedUnitName(expected.name), expected));

  test("throws the problem", () => {
    assert.throws(() => parsedUnitName("a/b.service"), { message: unitNameProblem("a/b.service") ?? "" });
  });
});

suite("unitNameProblem", () => {
  const cases: [name: string, problem: RegExp | undefined][] = [
    [`${"a".repeat(247)}.service`, undefined],
    [`${"a".repeat(248)}.service`, /has 256 characters; at most 255/],
    ["", /is empty/],
    ["api", /does not end in the suffix of a unit type; write one of \.service/],
    ["service", /does not end in the suffix/],
    ["api.Service", /does not end in the suffix/],
    ["api.service.", /does not end in the suffix/],
    ["api.snapshot", /does not end in the suffix/],
    ["a/b.service", /"a\/b\.service" holds "\/"; only letters, digits/],
    ["a b.service", /holds " "/],
    ["ä.service", /holds "ä"/],
    ["a\n.service", /holds "\\n"/],
    [".service", /begins with a dot/],
    [".a.service", /begins with a dot/],
    ["@.service", /begins with @/],
    ["@a.service", /begins with @/],
  ];
  for (const [name, problem] of cases) {
    test(JSON.stringify(name.slice(0, 20)), () => {
      if (problem === undefined) assert.equal(unitNameProblem(name), undefined);
      else assert.match(unitNameProblem(name) ?? "none", problem);
    });
  }
});

suite("escaping", () => {
  // What systemd-escape 252 printed for these.
  const parts: [text: string, escaped: string][] = [
    ["", ""],
    ["tty1", "tty1"],
    ["a/b", "a-b"],
    ["/a/", "-a-"],
    ["a-b", "a\\x2db"],
    [".a.b", "\\x2ea.b"],
    ["a b@c\\", "a\\x20b\\x40c\\x5c"],
    ["é😀:_", "\\xc3\\xa9\\xf0\\x9f\\x98\\x80:_"],
  ];
  for (const [text, escaped] of parts) {
    test(`part ${JSON.stringify(text)}`, () => {
      assert.equal(escapedUnitNamePart(text), escaped);
      assert.equal(unescapedUnitNamePart(escaped), text);
    });
  }

  const paths: [path: string, escaped: string, normal: string][] = [
    ["/", "-", "/"],
    ["//", "-", "/"],
    ["/srv/my data/", "srv-my\\x20data", "/srv/my data"],
    ["//a/./b//", "a-b", "/a/b"],
    ["/.hidden/-x", "\\x2ehidden-\\x2dx", "/.hidden/-x"],
    ["a/b", "a-b", "/a/b"],
  ];
  for (const [path, escaped, normal] of paths) {
    test(`path ${path}`, () => {
      assert.equal(escapedPath(path), escaped);
      assert.equal(unescapedPath(escaped), normal);
    });
  }

  test("refuses what cannot be escaped or unescaped", () => {
    assert.throws(() => escapedUnitNamePart("a\0"), /NUL character/);
    assert.throws(() => escapedPath("/a/../b"), /holds "\.\."/);
    assert.throws(() => escapedPath("./"), /absolute path/);
    assert.throws(() => escapedPath(""), /absolute path/);
    assert.throws(() => unescapedUnitNamePart("a\\y"), /backslash that begins no/);
    assert.throws(() => unescapedUnitNamePart("a\\x2"), /backslash that begins no/);
    assert.throws(() => unescapedUnitNamePart("\\xff"), /not UTF-8/);
    for (const escaped of ["", "-a", "a-", "a--b", "\\x2e", "a-\\x2e\\x2e"]) {
      assert.throws(() => unescapedPath(escaped), /no escaped path/);
    }
  });

  test("is undone by unescaping", () => {
    const text = writableText([..."a/.-\\x2d@: é😀"]);
    fc.assert(
      fc.property(text, (part) => {
        assert.equal(unescapedUnitNamePart(escapedUnitNamePart(part)), part);
        assert.match(escapedUnitNamePart(part), /^[A-Za-z0-9:_.\\-]*$/);
      }),
      { numRuns: 700 },
    );
  });
});

suite("instanceOf", () => {
  test("puts the instance in", () => {
    assert.equal(instanceOf("getty@.service", "tty1"), "getty@tty1.service");
    assert.equal(instanceOf("backup@.timer", escapedPath("/srv/my data")), "backup@srv-my\\x20data.timer");
  });

  const refused: [template: string, instance: string, message: RegExp][] = [
    ["getty.service", "tty1", /"getty\.service" is no template; a template ends in @\.service/],
    ["getty@tty1.service", "tty2", /is no template/],
    ["getty@.service", "", /needs a name/],
    ["getty@.service", "a/b c", /must be escaped; write "a-b\\\\x20c"/],
    ["getty@.service", "a".repeat(250), /at most 255/],
  ];
  for (const [template, instance, message] of refused) {
    test(`refuses ${template} ${instance.slice(0, 10)}`, () =>
      assert.throws(() => instanceOf(template, instance), message));
  }
});
