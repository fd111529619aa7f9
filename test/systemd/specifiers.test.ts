import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { escapedSpecifiers, specifierProblem, specifiersIn, unescapedSpecifiers } from "../../systemd/specifiers.ts";

suite("specifiers", () => {
  test("escaping is undone by unescaping and leaves nothing to expand", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."%%hz5 é") }), (text) => {
        assert.equal(unescapedSpecifiers(escapedSpecifiers(text)), text);
        assert.deepEqual(specifiersIn(escapedSpecifiers(text)), []);
      }),
      { numRuns: 300 },
    );
  });

  test("finds specifiers as systemd does", () => {
    assert.deepEqual(specifiersIn("%h/%%i/%%%i 5% 5%, %é %9 %"), ["%h", "%i", "%9"]);
  });

  // The letters that `systemd-analyze verify` 252 takes without a word.
  const knownTo252 = "abdfghijlmnopqstuvwyABCEGHIJLMNPSTUVWY";
  test("knows what systemd 252 knows", () => {
    const candidates = [..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"];
    const accepted = candidates.filter((letter) => specifierProblem(`x%${letter}y`, 252) === undefined);
    assert.equal(accepted.join(""), knownTo252);
  });

  const cases: [text: string, version: number | undefined, problem: string | undefined][] = [
    ["100%", undefined, undefined],
    ["5%, %%z", undefined, undefined],
    ["%h/%i", 247, undefined],
    ["%z", undefined, "%z is no specifier of systemd; write %%z for the two characters %z"],
    ["%q", 247, "%q needs systemd 251, the host has 247"],
    ["%q %d", 249, "%q needs systemd 251, the host has 249; %d needs systemd 251, the host has 249"],
    ["%A %M", 249, undefined],
    ["%A", 247, "%A needs systemd 249, the host has 247"],
    ["%D", 255, "%D needs systemd 256, the host has 255"],
    ["%D", 257, undefined],
    ["%D", undefined, undefined],
    ["%c", 252, "%c is a deprecated specifier that does not work as intended; write %%c for the two characters %c"],
  ];
  for (const [text, version, problem] of cases) {
    test(`${text} on ${version ?? "any version"}`, () => assert.equal(specifierProblem(text, version), problem));
  }
});
