// biome-ignore-all lint/suspicious/noTemplateCurlyInString: systemd writes its own variables as ${NAME}
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { EnvironmentError } from "../../systemd/environment.ts";
import {
  decodedEnvironmentFile,
  encodedEnvironmentFile,
  parseEnvironmentFile,
} from "../../systemd/environment-file.ts";
import { writableText } from "./writable-text.ts";

const pem = "-----BEGIN PRIVATE KEY-----\nMIIEvQ+/a==\n-----END PRIVATE KEY-----\n";

suite("encodedEnvironmentFile", () => {
  test("quotes every value and protects four characters", () => {
    const variables = { A: "plain", EMPTY: "", SHELL: 'a"b\\c`d$e', HASH: " # x ; y ", PEM: pem, ODD: "\u001b\r\t%h" };
    assert.equal(
      encodedEnvironmentFile(variables),
      `A="plain"\nEMPTY=""\nSHELL="a\\"b\\\\c\\\`d\\$e"\nHASH=" # x ; y "\nPEM="${pem}"\nODD="\u001b\r\t%h"\n`,
    );
    assert.deepEqual(decodedEnvironmentFile(encodedEnvironmentFile(variables)), variables);
    assert.equal(encodedEnvironmentFile({}), "");
  });

  const refused: [title: string, variables: Record<string, string>, message: RegExp][] = [
    ["a bad name", { "A-B": "secret" }, /name "A-B" is not allowed/],
    ["NUL", { A: "secret\0" }, /variable A: the value holds a NUL character/],
    ["half of a surrogate pair", { A: "secret\ud800" }, /variable A: the value holds half of a surrogate pair/],
    ["128 KiB", { A: `secret${"é".repeat(70000)}` }, /variable A: NAME=value has 140008 bytes/],
  ];
  for (const [title, variables, message] of refused) {
    test(`refuses ${title} without echoing the value`, () => {
      assert.throws(
        () => encodedEnvironmentFile(variables),
        (error) =>
          error instanceof EnvironmentError && message.test(error.message) && !error.message.includes("secret"),
      );
    });
  }
});

suite("decodedEnvironmentFile", () => {
  const cases: [title: string, text: string, expected: Record<string, string>][] = [
    ["blanks around both are trimmed", "  A =  1 2 \t\nB=\n", { A: "1 2", B: "" }],
    ["no comments behind a value", "A=a b # c\n# A=2\n ; A=3\n", { A: "a b # c" }],
    ["lines that are no assignment are ignored", "export A=1\n1B=2\nnothing\n=3\nC=4", { C: "4" }],
    ["later ones win", "A=1\nA=2", { A: "2" }],
    ["nothing is expanded", "A=$B ${C} %h", { A: "$B ${C} %h" }],
    ["unquoted escapes", "A=\\a\\ b\\\\\\\nc\nB=x \\\n\nC=\\ \n", { A: "a b\\c", B: "x ", C: " " }],
    ["single quotes are literal", "A='x\\n\"\n y'\n", { A: 'x\\n"\n y' }],
    ["double quotes unescape four characters", 'A="\\"\\\\\\`\\$\\n\\\nb\n"', { A: '"\\`$\\nb\n' }],
    ["quoted parts join", `A="x" y\nB='a'"b" 'c'\nC=a"b"`, { A: "xy", B: "abc", C: 'a"b"' }],
    ["blanks within quotes stay", 'A="  x  "  \nB="x" y  \n', { A: "  x  ", B: "xy" }],
    ["an open quote takes the rest", 'A="1\nB=2\n', { A: "1\nB=2\n" }],
    ["CR LF", "A=1\r\nB=2\r\n", { A: "1", B: "2" }],
    ["a backslash at the end of the file", "A=x\\", { A: "x" }],
    ["a comment's backslash continues nothing (systemd 254 and newer)", "# c \\\nA=1\n", { A: "1" }],
    ["names of objects are names", "__proto__=a", JSON.parse('{"__proto__":"a"}')],
    ["a byte order mark within a value", "A=\uFEFFx", { A: "\uFEFFx" }],
  ];
  for (const [title, text, expected] of cases) {
    test(title, () => assert.deepEqual(decodedEnvironmentFile(text), expected));
  }

  const refused: [title: string, text: string, message: RegExp][] = [
    ["NUL", "A=secret\r\nB=x\0", /^line 2: the file holds a NUL character/],
    ["half of a surrogate pair", "A=secret\ud800", /^line 1: .*surrogate/],
    ["a byte order mark", "\uFEFFA=secret", /byte order mark/],
  ];
  for (const [title, text, message] of refused) {
    test(`refuses ${title} without echoing the file`, () => {
      assert.throws(
        () => decodedEnvironmentFile(text),
        (error) =>
          error instanceof EnvironmentError && message.test(error.message) && !error.message.includes("secret"),
      );
    });
  }

  test("notes surprising lines without echoing them", () => {
    const text = `A=1\nexport SECRET=1\nsecret\n# c\\\nsecret-2 = 3\r\n\nB=${"x".repeat(131070)}\nC="secret\n`;
    assert.deepEqual(parseEnvironmentFile(text).notes, [
      { line: 2, message: "begins with export, which systemd does not know; it ignores the line" },
      { line: 3, message: "has no =; systemd ignores the line" },
      { line: 4, message: "is a comment that ends in a backslash; before version 254 systemd skips the next line too" },
      {
        line: 5,
        message:
          "has no valid name before the = (letters, digits and _, beginning with no digit); systemd ignores the line",
      },
      {
        line: 7,
        message:
          "environment variable B: NAME=value has 131072 bytes; the kernel passes at most 131071; pass such data in a file (LoadCredential=)",
      },
      { line: 8, message: "opens a quote that is never closed; systemd takes the rest of the file as the value" },
    ]);
  });
});

test("encodedEnvironmentFile is undone by decodedEnvironmentFile", () => {
  const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,5}$/);
  const value = writableText([..."a \t\n\r\"'\\`%$=;#é😀"]);
  fc.assert(
    fc.property(fc.dictionary(name, value, { noNullPrototype: true }), (variables) => {
      assert.deepEqual(parseEnvironmentFile(encodedEnvironmentFile(variables)), { variables, notes: [] });
    }),
    { numRuns: 400 },
  );
});
