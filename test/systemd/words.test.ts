import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { cEscaped, cUnescaped, quotedWord, splitWords, WordSyntaxError } from "../../systemd/words.ts";
import { writableText } from "./writable-text.ts";

const writable = writableText([..."ab \t\n\r\"'\\;$%é\u200b😀"]);

suite("splitWords", () => {
  const cases: [text: string, words: string[]][] = [
    ["", []],
    [" \t ", []],
    ["a  b\tc ", ["a", "b", "c"]],
    [`"a b" 'c d'`, ["a b", "c d"]],
    [`a"b c"d`, ["ab cd"]],
    [`"" ''`, ["", ""]],
    [`"it's" 'say "x"'`, ["it's", 'say "x"']],
    [`'a\\'b' "c\\"d"`, ["a'b", 'c"d']],
    ["a\\ b", ["a\\ b"]],
    ["a\\sb", ["a b"]],
    ["\\a\\b\\f\\n\\r\\t\\v\\\\\\\"\\'", ["\u0007\b\f\n\r\t\v\\\"'"]],
    ["\\x41\\x7e \\101 \\u00e9 \\U0001F600", ["A~", "A", "é", "😀"]],
    ["\\xc3\\xa9 \\303\\251", ["é", "é"]],
    [`\\d+ "\\d+" \\xZZ \\400 \\x00 \\u0000`, ["\\d+", "\\d+", "\\xZZ", "\\400", "\\x00", "\\u0000"]],
    ["a\\", ["a\\"]],
    ["a\u00a0b \u2028", ["a\u00a0b", "\u2028"]],
    ["# ;", ["#", ";"]],
  ];
  for (const [text, words] of cases) {
    test(JSON.stringify(text), () => assert.deepEqual(splitWords(text), words));
  }

  const refused: [text: string, index: number, message: RegExp][] = [
    ['a "b c', 2, /quote " at index 2 is never closed/],
    ["it's", 2, /quote ' at index 2 is never closed/],
    ['"a\\"', 0, /never closed/],
    ["a \\xc3 b", 2, /not UTF-8/],
  ];
  for (const [text, index, message] of refused) {
    test(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => splitWords(text),
        (error) => error instanceof WordSyntaxError && error.index === index && message.test(error.message),
      );
    });
  }

  test("refuses unknown escapes when asked, and echoes nothing of the text", () => {
    for (const text of ["secret \\d", "secret \\x00", "secret \\"]) {
      assert.throws(
        () => splitWords(text, { unknownEscapes: "refuse" }),
        (error) => error instanceof WordSyntaxError && error.index === 7 && !error.message.includes("secret"),
      );
    }
  });
});

suite("quotedWord", () => {
  const cases: [word: string, written: string][] = [
    ["--port=8000", "--port=8000"],
    ["a,b;c|d&e*{f}~`#<>()", "a,b;c|d&e*{f}~`#<>()"],
    ["$HOME%h", "$HOME%h"],
    ["größe-日本", "größe-日本"],
    ["", '""'],
    [";", '";"'],
    ["a b", '"a b"'],
    ["it's", `"it's"`],
    ['say "x"', '"say \\"x\\""'],
    ["\\d+", '"\\\\d+"'],
    ["C:\\", '"C:\\\\"'],
    ["a\nb\tc\rd", '"a\\nb\\tc\\rd"'],
    ["\u0001\u007f", '"\\x01\\x7f"'],
    ["\u0085\u00a0\u200b\u202e\u2028", '"\\u0085\\u00a0\\u200b\\u202e\\u2028"'],
    ["\u{e0001}", '"\\U000e0001"'],
  ];
  for (const [word, written] of cases) {
    test(JSON.stringify(word), () => {
      assert.equal(quotedWord(word), written);
      assert.deepEqual(splitWords(written), [word]);
    });
  }

  test("refuses what no unit file can hold, without echoing it", () => {
    for (const word of ["secret\0", "secret\ud800", "secret\ufffe"]) {
      assert.throws(
        () => quotedWord(word),
        (error) => error instanceof WordSyntaxError && error.index === 6 && !error.message.includes("secret"),
      );
    }
  });

  test("is undone by splitWords, in one line", () => {
    fc.assert(
      fc.property(fc.array(writable, { maxLength: 4 }), (words) => {
        const value = words.map(quotedWord).join(" ");
        assert.deepEqual(splitWords(value), words);
        assert.deepEqual(splitWords(value, { unknownEscapes: "refuse" }), words);
        assert.doesNotMatch(value, /[\n\r]|(?<!\\)(?:\\\\)*\\$/);
      }),
      { numRuns: 400 },
    );
  });
});

suite("C escapes", () => {
  test("cUnescaped undoes cEscaped", () => {
    fc.assert(
      fc.property(writable, (text) => assert.equal(cUnescaped(cEscaped(text)), text)),
      { numRuns: 400 },
    );
  });

  test("cUnescaped keeps quotes and blanks, and refuses unknown escapes", () => {
    assert.equal(cUnescaped(`a "b'  \\x41`), `a "b'  A`);
    assert.throws(() => cUnescaped("a\\d"), /backslash and U\+0064 at index 1 is unknown/);
    assert.throws(() => cUnescaped("a\\"), /lone backslash/);
  });
});
