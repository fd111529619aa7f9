import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { equivalents, mutationReport, printedReport, unexplained } from "./report.ts";

const source = 'const a = 1;\n  if (a < 2) say("x");\n';
const at = (line: number, from: number, to: number) => ({
  start: { line, column: from },
  end: { line, column: to },
});
const report = {
  files: {
    "b.ts": {
      source,
      mutants: [
        { replacement: "a <= 2", location: at(2, 7, 12), status: "Survived" },
        { replacement: '""', location: at(2, 18, 21), status: "Survived" },
        { replacement: "0", location: at(1, 11, 12), status: "Killed" },
      ],
    },
  },
};
const line = 'if (a < 2) say("x");';
const known = equivalents([{ file: "b.ts", line, from: '"x"', to: '""', why: "nobody reads it" }]);

suite("the report of a mutation run", () => {
  test("tells what was changed, and which survivors are not explained", () => {
    const mutants = mutationReport(report);
    assert.deepEqual(
      mutants.map(({ from, to, status }) => [from, to, status]),
      [
        ["1", "0", "Killed"],
        ["a < 2", "a <= 2", "Survived"],
        ['"x"', '""', "Survived"],
      ],
    );
    assert.deepEqual(
      unexplained(mutants, known).map(({ to }) => to),
      ["a <= 2"],
    );
  });

  test("prints survivors, what explains none, counts and scores", () => {
    const stale = { file: "b.ts", line, from: "2", to: "3", why: "it was killed" };
    assert.deepEqual(printedReport(mutationReport(report), [...known, stale]), [
      "b.ts:2: SURVIVED\n  - a < 2\n  + a <= 2",
      'b.ts:2: makes no difference (nobody reads it)\n  - "x"\n  + ""',
      "equivalent.json explains what has not survived: b.ts: 2 -> 3",
      "killed  timeout  survived  no difference  invalid  score",
      "     1        0         1              1        0   33.3 %  b.ts",
      "     1        0         1              1        0   33.3 %  all",
    ]);
  });
});
