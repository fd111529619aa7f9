import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { healthProgram, joinedModules } from "../../../activation/health/program.ts";

const future = "from __future__ import annotations\n\n";

test("modules come after those that they import from, and their imports of each other are gone", () => {
  const modules = new Map([
    ["__main__", `"""The entry."""\n\n${future}from .check import run\n\nrun()\n`],
    [
      "check",
      `${future}import os\n\nfrom .words import (\n    WORD,\n    other,\n)\n\n\ndef run():\n    print(WORD, os)\n`,
    ],
    ["words", `${future}WORD = "x"\nother = 1\n`],
    ["unused", "raise SystemExit\n"],
  ]);
  assert.equal(
    joinedModules(modules),
    [
      "from __future__ import annotations",
      "",
      "# words.py",
      'WORD = "x"',
      "other = 1",
      "",
      "",
      "# check.py",
      "import os",
      "",
      "",
      "def run():",
      "    print(WORD, os)",
      "",
      "",
      "# __main__.py",
      '"""The entry."""',
      "",
      "",
      "run()",
      "",
    ].join("\n"),
  );
});

test("a name that two modules use is refused: one would take the other's place", () => {
  for (const [first, second] of [
    ["def _answer():\n    pass\n", "def _answer():\n    pass\n"],
    ["class A:\n    pass\n", "A = 1\n"],
    ["A, B = 1, 2\n", "def B():\n    pass\n"],
  ] as const) {
    const modules = new Map([
      ["__main__", `from .one import x\nfrom .two import y\n`],
      ["one", first],
      ["two", second],
    ]);
    assert.throws(() => joinedModules(modules), /^Error: (_answer|A|B) stands in one\.py and in two\.py$/);
  }
});

test("a module that is not there is named", () => {
  assert.throws(
    () => joinedModules(new Map([["__main__", "from .gone import x\n"]])),
    new Error("the health program imports gone.py, which is not there"),
  );
});

test("the program runs as one file, without anything beside it", (context) => {
  const directory = mkdtempSync(join(tmpdir(), "health-program-"));
  context.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, "shop-prod.py");
  writeFileSync(file, healthProgram());
  const done = spawnSync("python3", ["-I", file, `--root=${directory}`, "deliver", "ops"], { encoding: "utf8" });
  const settings = join(directory, "etc/pulumi-systemd/notify/ops.json");
  assert.deepEqual(
    { status: done.status, stdout: done.stdout, stderr: done.stderr },
    { status: 1, stdout: "", stderr: `<3>${settings} cannot be read: No such file or directory\n` },
  );
});

test("for root it keeps itself compiled, and what goes wrong in it names the lines of its file", () => {
  const text = healthProgram();
  const [, source = ""] = /SOURCE = r'''([\s\S]*?)'''/.exec(text) ?? [];
  const above = text.slice(0, text.indexOf(source)).split("\n").length - 1;
  assert.ok(text.endsWith(`exec(program_code("\\n" * ${above} + SOURCE, __file__, KEPT))\n`));
  assert.match(
    text,
    /\nKEPT = f"\/run\/pulumi-systemd\/health\/\{os\.path\.basename\(__file__\)\[:-3\]\}\/program\.pyc"\n/,
  );
});
