import assert from "node:assert/strict";
import { test } from "node:test";
import { codeSpan, escapedMarkdown } from "../../../cli/review/escaped-markdown.ts";

for (const [text, shown] of [
  ["OnCalendar= *-*-* 03:00:00", String.raw`OnCalendar= \*-\*-\* 03:00:00`],
  ["ExecStart= /bin/x <config>", String.raw`ExecStart= /bin/x \<config>`],
  ["a|b", String.raw`a\|b`],
  ["`x` ~y~ &lt; && &", String.raw`\`x\` \~y\~ \&lt; && &`],
  ["_x_ __y a_b_c", String.raw`\_x\_ \_\_y a_b_c`],
  [String.raw`a\x2db\* \ \\ c\ `.trimEnd(), String.raw`a\x2db\\\* \ \\\ c\\`],
  ["[x](y) [x]: y [Service] ProtectSystem=no", String.raw`[x\](y) [x\]: y [Service] ProtectSystem=no`],
  ["two\nlines", "two lines"],
] as const) {
  test(`Markdown shows ${JSON.stringify(text)} as it is`, () => {
    assert.equal(escapedMarkdown(text), shown);
  });
}

test("a code span holds backticks", () => {
  assert.deepEqual(["a", "a`b", "``"].map(codeSpan), ["`a`", "`` a`b ``", "``` `` ```"]);
});
