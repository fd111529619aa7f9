// biome-ignore-all lint/suspicious/noTemplateCurlyInString: systemd writes its own variables as ${NAME}
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { decodedEnvironment, EnvironmentError, encodedEnvironment } from "../../systemd/environment.ts";
import { writableText } from "./writable-text.ts";

suite("encodedEnvironment", () => {
  test("one assignment per variable, quoted as a whole and only where needed", () => {
    const variables = {
      PLAIN: "1",
      EMPTY: "",
      BLANKS: "good day",
      PERCENT: "100% %h",
      DOLLAR: "$HOME ${X}",
      LINES: "a\nb",
      QUOTES: `"it's"`,
      BACKSLASH: "C:\\",
      HASH: "#fff;",
      EQUALS: "a=b",
    };
    const values = [
      "PLAIN=1",
      "EMPTY=",
      '"BLANKS=good day"',
      '"PERCENT=100%% %%h"',
      '"DOLLAR=$HOME ${X}"',
      '"LINES=a\\nb"',
      '"QUOTES=\\"it\'s\\""',
      '"BACKSLASH=C:\\\\"',
      "HASH=#fff;",
      "EQUALS=a=b",
    ];
    assert.deepEqual(encodedEnvironment(variables), values);
    assert.deepEqual(decodedEnvironment(values), variables);
  });

  for (const name of ["", "1A", "A-B", "A B", "Ä", "A=B", "A\n"]) {
    test(`refuses the name ${JSON.stringify(name)}`, () => {
      assert.throws(
        () => encodedEnvironment({ [name]: "secret" }),
        (error) =>
          error instanceof EnvironmentError &&
          error.message.includes(JSON.stringify(name)) &&
          !error.message.includes("secret"),
      );
    });
  }

  const badValues: [title: string, value: string, message: RegExp][] = [
    ["NUL", "secret\0", /variable A: the value holds a NUL character at index 6/],
    ["half of a surrogate pair", "secret\udfff", /surrogate/],
    ["a noncharacter", "secret\u{1fffe}", /U\+1FFFE/],
    ["128 KiB", "secret".padEnd(131072 - 2, "x"), /has 131072 bytes; the kernel passes at most 131071/],
  ];
  for (const [title, value, message] of badValues) {
    test(`refuses ${title} without echoing the value`, () => {
      assert.throws(
        () => encodedEnvironment({ A: value }),
        (error) =>
          error instanceof EnvironmentError && message.test(error.message) && !error.message.includes("secret"),
      );
    });
  }

  test("takes the longest string that the kernel takes", () => {
    const value = "x".repeat(131071 - 2);
    assert.deepEqual(decodedEnvironment(encodedEnvironment({ A: value })), { A: value });
  });
});

suite("decodedEnvironment", () => {
  const cases: [title: string, values: string[], expected: Record<string, string>][] = [
    ["several assignments in one value", [`A=1 "B=2 3" 'C=4' D="5 6"`], { A: "1", B: "2 3", C: "4", D: "5 6" }],
    ["words that are no assignment are ignored", ["A=x y 1Z=2 =3"], { A: "x" }],
    ["later ones win", ["A=1", "A=2"], { A: "2" }],
    ["an empty value resets", ["A=1", "", "B=2"], { B: "2" }],
    ["the rest behind an unknown escape is ignored", ["A=1 B=\\d C=2", "D=3"], { A: "1", D: "3" }],
    ["the rest behind an open quote is ignored", [`A=1 "B=2`], { A: "1" }],
    ["specifiers stay", ["A=%h/%%"], { A: "%h/%" }],
    ["names of objects are names", ["__proto__=a constructor=b"], JSON.parse('{"__proto__":"a","constructor":"b"}')],
  ];
  for (const [title, values, expected] of cases) {
    test(title, () => assert.deepEqual(decodedEnvironment(values), expected));
  }
});

test("encodedEnvironment is undone by decodedEnvironment", () => {
  const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,5}$/);
  const value = writableText([..."a \t\n\r\"'\\%$=;#é😀"]);
  fc.assert(
    fc.property(fc.dictionary(name, value, { noNullPrototype: true }), (variables) => {
      assert.deepEqual(decodedEnvironment(encodedEnvironment(variables)), variables);
      assert.deepEqual(decodedEnvironment([encodedEnvironment(variables).join(" ")]), variables);
    }),
    { numRuns: 400 },
  );
});
