import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import {
  parseUnitFile,
  parseUnitFileWithNotes,
  positionInLine,
  printUnitFile,
  type UnitFile,
  UnitSyntaxError,
  UnwritableUnitError,
  unitModel,
} from "../../systemd/unit-file.ts";
import { anyText } from "./writable-text.ts";

/** Entries as `[section, key, value]`, which is easier to read than the nested form. */
function rows(file: UnitFile): string[][] {
  return file.sections.flatMap(({ name, entries }) => entries.map(({ key, value }) => [name, key, value]));
}

function service(...entries: [key: string, value: string][]): UnitFile {
  return { sections: [{ name: "Service", entries: entries.map(([key, value]) => ({ key, value })) }] };
}

suite("parseUnitFile", () => {
  const cases: [title: string, text: string, expected: string[][]][] = [
    ["nothing", "", []],
    ["comments only", "# a\n; b\n  # c\n", []],
    ["blanks around = and at line ends", "[Unit]\n  Description \t=\t a  b \t\n", [["Unit", "Description", "a  b"]]],
    ["no comments behind a value", "[Unit]\nA=b # c ; d\n", [["Unit", "A", "b # c ; d"]]],
    ["the first = separates", "[Service]\nEnvironment=A=1\n", [["Service", "Environment", "A=1"]]],
    ["quotes belong to the value", '[Unit]\nDescription="x"\n', [["Unit", "Description", '"x"']]],
    ["repeats and resets", "[S]\nE=/a\nE=\nE=/b\n", ["/a", "", "/b"].map((value) => ["S", "E", value])],
    ["a continuation is one space", "[S]\nE=/a\\\n  -b\\\n\t-c\n", [["S", "E", "/a   -b \t-c"]]],
    ["comments within a continuation", "[S]\nE=/a \\\n# no\\\n  ; no\n b\n", [["S", "E", "/a   b"]]],
    ["an empty line ends a continuation", "[S]\nE=a\\\n\nF=b\n", [["S", "E", "a"], ["S", "F", "b"]]], // biome-ignore format: one case a line
    ["a comment's backslash continues nothing", "[S]\n# c \\\nE=a\n", [["S", "E", "a"]]],
    ["two backslashes continue nothing", "[S]\nE=a\\\\\nF=b\n", [["S", "E", "a\\\\"], ["S", "F", "b"]]], // biome-ignore format: one case a line
    ["three backslashes do", "[S]\nE=a\\\\\\\nb\n", [["S", "E", "a\\\\ b"]]],
    ["a backslash before blanks continues nothing", "[S]\nE=a\\ \nF=b\n", [["S", "E", "a\\"], ["S", "F", "b"]]], // biome-ignore format: one case a line
    ["a dangling backslash", "[S]\nE=a\\", [["S", "E", "a"]]],
    ["no last line end", "[S]\nE=a", [["S", "E", "a"]]],
    ["CR LF", "[S]\r\nE=a\\\r\n b\r\n\r\nF=c\r\n", [["S", "E", "a  b"], ["S", "F", "c"]]], // biome-ignore format: one case a line
    ["a lone CR and a NUL end lines", "[S]\rE=a\0F=b", [["S", "E", "a"], ["S", "F", "b"]]], // biome-ignore format: one case a line
    ["a byte order mark", "\uFEFF[S]\nE=\uFEFFa\n", [["S", "E", "\uFEFFa"]]],
    ["other blanks stay", "[S]\nE=\u00a0a\u3000\n", [["S", "E", "\u00a0a\u3000"]]],
    ["a section on continued lines", "[X-a\\\nb]\nE=a\n", [["X-a b", "E", "a"]]],
    ["keys of objects", "[__proto__]\n__proto__=a\nconstructor=b\n", [["__proto__", "__proto__", "a"], ["__proto__", "constructor", "b"]]], // biome-ignore format: one case a line
  ];
  for (const [title, text, expected] of cases) {
    test(title, () => assert.deepEqual(rows(parseUnitFile(text)), expected));
  }

  test("sections repeat and interleave, and may be empty", () => {
    assert.deepEqual(parseUnitFile("[Unit]\nA=1\n[Service]\n[Unit]\nA=2\n"), {
      sections: [
        { name: "Unit", entries: [{ key: "A", value: "1" }] },
        { name: "Service", entries: [] },
        { name: "Unit", entries: [{ key: "A", value: "2" }] },
      ],
    });
  });

  const refused: [title: string, text: string, line: number, message: RegExp][] = [
    ["a comment behind a header", "[Unit]\n\n[Service] # c\nA=b\n", 3, /must end in "\]"/],
    ["an open header", "[Unit\n", 1, /must end in "\]"/],
    ["a lone bracket", "[\n", 1, /must end in "\]"/],
    ["a quote in a header", '[Un"it]\n', 1, /quote/],
    ["a line of 1 MiB", `[S]\nA=${"x".repeat(1024 * 1024)}\n`, 2, /1 MiB/],
    ["joined lines over 1 MiB", `[S]\nA=\\\n${"é".repeat(300_000)}\\\n${"é".repeat(300_000)}\n`, 2, /1 MiB/],
    ["half of a surrogate pair", "[S]\nA=\ud800\n", 2, /surrogate/],
    ["a noncharacter", "[S]\n\nA=\uffff\n", 3, /U\+FFFF/],
  ];
  for (const [title, text, line, message] of refused) {
    test(`refuses ${title}`, () => {
      assert.throws(
        () => parseUnitFile(text),
        (error) => error instanceof UnitSyntaxError && error.line === line && message.test(error.message),
      );
    });
  }

  test("reads a line just under 1 MiB", () => {
    const value = "x".repeat(1024 * 1024 - 3);
    assert.deepEqual(rows(parseUnitFile(`[S]\nA=${value}\n`)), [["S", "A", value]]);
  });
});

suite("parseUnitFileWithNotes", () => {
  test("notes what systemd ignores, and where things stand", () => {
    const text = ["Early=1", "[Service]", "junk", " =x", "  ExecStart = /bin/a \\", "# c", " b \\", "c", "User=me", ""];
    assert.deepEqual(parseUnitFileWithNotes(text.join("\n")), {
      file: service(["ExecStart", "/bin/a   b  c"], ["User", "me"]),
      notes: [
        { line: 1, message: "stands before the first [Section]; systemd ignores it" },
        { line: 3, message: "has no =; systemd ignores it" },
        { line: 4, message: "has no key before the =; systemd ignores it" },
      ],
      positions: [
        {
          line: 2,
          column: 1,
          entries: [
            {
              line: 5,
              column: 3,
              endLine: 8,
              value: [
                { offset: 0, line: 5, column: 15 },
                { offset: 8, line: 7, column: 1 },
                { offset: 12, line: 8, column: 1 },
              ],
            },
            { line: 9, column: 1, endLine: 9, value: [{ offset: 0, line: 9, column: 6 }] },
          ],
        },
      ],
    });
  });

  test("places an offset of a value behind a continuation", () => {
    const { file, positions } = parseUnitFileWithNotes("[Service]\nExecStart=/bin/a \\\n  bad\n");
    const value = file.sections[0]?.entries[0]?.value ?? "";
    assert.deepEqual(positionInLine(positions[0]?.entries[0]?.value ?? [], value.indexOf("bad")), {
      line: 3,
      column: 3,
    });
  });

  test("notes a backslash with blanks behind it, which joins nothing", () => {
    assert.deepEqual(parseUnitFileWithNotes("[Service]\nExecStart=/bin/a \\ \n  -b\n"), {
      file: service(["ExecStart", "/bin/a \\"]),
      notes: [
        { line: 2, message: "ends in a backslash with blanks behind it, which does not join the next line" },
        { line: 3, message: "has no =; systemd ignores it" },
      ],
      positions: [
        {
          line: 1,
          column: 1,
          entries: [{ line: 2, column: 1, endLine: 2, value: [{ offset: 0, line: 2, column: 11 }] }],
        },
      ],
    });
  });

  test("notes a comment behind a byte order mark, which systemd takes for an assignment", () => {
    assert.deepEqual(parseUnitFileWithNotes("\uFEFF# a=b\n[S]\n").notes, [
      { line: 1, message: "a comment right behind a byte order mark is not a comment" },
    ]);
  });
});

suite("printUnitFile", () => {
  test("writes one canonical form", () => {
    const file = parseUnitFile("[Unit]\nDescription = a\n[Service]\n\n\nExecStart=/a\\\n b\nExecStart=");
    assert.equal(
      printUnitFile(file, ["Managed by x.", "", "Second."]),
      "# Managed by x.\n#\n# Second.\n\n[Unit]\nDescription=a\n\n[Service]\nExecStart=/a  b\nExecStart=\n",
    );
  });

  test("writes a line end even for nothing, since an empty file masks a unit", () => {
    assert.equal(printUnitFile({ sections: [] }), "\n");
    assert.equal(printUnitFile({ sections: [] }, ["only"]), "# only\n");
  });

  const refused: [title: string, file: UnitFile, message: RegExp][] = [
    ["a line break", service(["Description", "a\nb"]), /^\[Service\] Description=: .*line break at index 1/],
    ["a carriage return", service(["Description", "a\rb"]), /line break at index 1/],
    ["a trailing backslash", service(["Description", "C:\\"]), /ends in a backslash/],
    ["three trailing backslashes", service(["Description", "C:\\\\\\"]), /ends in a backslash/],
    ["a leading blank", service(["Description", " a"]), /white space/],
    ["a trailing tab", service(["Description", "a\t"]), /white space/],
    ["NUL", service(["Description", "a\0"]), /NUL character at index 1/],
    ["half of a surrogate pair", service(["Description", "\udc00"]), /surrogate/],
    ["1 MiB", service(["A", "x".repeat(1024 * 1024 - 2)]), /1048576 bytes/],
    ["an empty key", service(["", "a"]), /is empty/],
    ["a key with =", service(["A=B", "a"]), /no =/],
    ["a key with a line break", service(["A\nB", "a"]), /no line break/],
    ["a key like a comment", service(["#A", "a"]), /must not begin/],
    ["a key like a header", service(["[A", "a"]), /must not begin/],
    ["a key with blanks", service(["A ", "a"]), /white space/],
    ["a section with a line break", { sections: [{ name: "A]\n[B", entries: [] }] }, /control character/],
  ];
  for (const [title, file, message] of refused) {
    test(`refuses ${title}`, () => {
      assert.throws(
        () => printUnitFile(file),
        (error) => error instanceof UnwritableUnitError && message.test(error.message),
      );
    });
  }

  test("refuses a header of several lines in one item", () => {
    assert.throws(() => printUnitFile({ sections: [] }, ["a\n[Service]"]), UnwritableUnitError);
  });

  test("does not echo the refused value", () => {
    assert.throws(
      () => printUnitFile(service(["Environment", "KEY=hunter2\n"])),
      (error) => error instanceof Error && !error.message.includes("hunter2"),
    );
  });
});

suite("round trips", () => {
  const text = (...pieces: string[]) => fc.string({ unit: fc.constantFrom(...pieces), maxLength: 8 });
  const key = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom("K", "a b", "__proto__") },
    text("K", " ", "=", "#", "[", "\\", "\uFEFF"),
  );
  const value = fc.oneof(
    { weight: 4, arbitrary: text("v", '"', "#", ";", "=", "é", "😀").map((inner) => `v${inner}`) },
    text("v", " ", "\\", '"', "#", ";", "=", "é", "😀", "\uFEFF"),
    text("v", "\n", "\r", "\0", "\ud800"),
    anyText,
  );
  const entries = fc.array(fc.tuple(key, value), { maxLength: 3 });
  const sections = fc.array(
    fc.tuple(
      fc.oneof({ weight: 4, arbitrary: fc.constant("Unit") }, text("U", "X-", " ", "]", "[", "é", "\\", "\n")),
      entries,
    ),
    { maxLength: 3 },
  );
  const anyFile = sections.map((list) => ({
    sections: list.map(([name, pairs]) => ({ name, entries: pairs.map(([key, value]) => ({ key, value })) })),
  }));

  test("what can be written is read back the same", () => {
    let written = 0;
    fc.assert(
      fc.property(anyFile, fc.array(text("h", "#", "\\", " "), { maxLength: 2 }), (file, header) => {
        let printed: string;
        try {
          printed = printUnitFile(file, header);
        } catch (error) {
          assert.ok(error instanceof UnwritableUnitError);
          return;
        }
        written += file.sections.some((section) => section.entries.length > 0) ? 1 : 0;
        assert.deepEqual(parseUnitFileWithNotes(printed).file, file);
        assert.deepEqual(parseUnitFileWithNotes(printed).notes, []);
      }),
      { numRuns: 1000 },
    );
    assert.ok(written > 100, `only ${written} files with entries were written`);
  });

  test("what was read can be written, and printing is stable", () => {
    const pieces = ["[S]\n", "[", "]", "K=v\n", "K", "=", "\\", "\\\n", "\n", "\r", "\0", "#", ";", " ", "\uFEFF", "é"];
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...pieces), maxLength: 30 }), (source) => {
        let file: UnitFile;
        try {
          file = parseUnitFile(`[S]\n${source}`);
        } catch (error) {
          assert.ok(error instanceof UnitSyntaxError);
          return;
        }
        const values = file.sections.flatMap((section) => section.entries.map((entry) => entry.value));
        if (values.some((value) => /(?<!\\)(\\\\)*\\$/.test(value))) {
          assert.throws(() => printUnitFile(file), /ends in a backslash/);
          return;
        }
        const printed = printUnitFile(file);
        assert.deepEqual(parseUnitFile(printed), file);
        assert.equal(printUnitFile(parseUnitFile(printed)), printed);
      }),
      { numRuns: 1000 },
    );
  });
});

suite("unitModel", () => {
  test("merges sections, makes lists of repeats and keeps resets", () => {
    const file = parseUnitFile(
      "[Unit]\nAfter=a\n[Service]\nType=simple\nExecStart=\nExecStart=/b\n[Unit]\nAfter=b\nAfter=\n[X-e]\n",
    );
    assert.deepEqual(unitModel(file), {
      Unit: { After: ["a", "b", ""] },
      Service: { Type: "simple", ExecStart: ["", "/b"] },
      "X-e": {},
    });
  });

  test("keeps names that objects have of their own", () => {
    const model = unitModel(parseUnitFile("[S]\n__proto__=a\nconstructor=b\n"));
    assert.deepEqual(Object.entries(model.S ?? {}), [
      ["__proto__", "a"],
      ["constructor", "b"],
    ]);
  });
});
