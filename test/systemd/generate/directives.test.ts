import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { directiveData } from "../../../systemd/generate/data.ts";
import { directiveType } from "../../../systemd/generate/directive-text.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const dataFile = join(root, "systemd/data/directives.json");

function generator(directory: string, ...options: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--no-warnings", join(directory, "systemd/generate/directives.ts"), ...options],
    { encoding: "utf8" },
  );
  return { status, stdout, stderr };
}

test("the generated files of this checkout are those of the data file", () => {
  assert.deepEqual(generator(root, "--check"), {
    status: 0,
    stdout: "the generated directive files are up to date\n",
    stderr: "",
  });
});

test("--check tells which files are stale and ends with status 1; without it they are written", (context) => {
  const copy = mkdtempSync(join(tmpdir(), "directives-"));
  context.after(() => rmSync(copy, { recursive: true }));
  mkdirSync(join(copy, "components"));
  cpSync(join(root, "systemd"), join(copy, "systemd"), { recursive: true });
  cpSync(join(root, "package.json"), join(copy, "package.json"));
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  appendFileSync(join(copy, "systemd/sections.generated.ts"), "// edited\n");

  assert.deepEqual(generator(copy, "--check"), {
    status: 1,
    stdout: "",
    stderr:
      "stale: systemd/sections.generated.ts, components/section-args.generated.ts differ from systemd/data/directives.json; run node systemd/generate/directives.ts\n",
  });
  assert.deepEqual(generator(copy), {
    status: 0,
    stdout: "wrote systemd/sections.generated.ts\nwrote components/section-args.generated.ts\n",
    stderr: "",
  });
  assert.equal(generator(copy, "--check").status, 0);
});

test("the data file is refused with the path of what is wrong in it", () => {
  const data = JSON.parse(readFileSync(dataFile, "utf8"));
  data.blocks.Unit.After.kind = "unit-nmes";
  delete data.blocks.Unit.Before.since;
  assert.throws(
    () => directiveData(JSON.stringify(data)),
    /"unit-nmes" is no kind of systemd\/directive\.ts\n +→ at blocks\.Unit\.After\.kind\n(.*\n)+.* at blocks\.Unit\.Before\.since/,
  );
});

test("each directive has one type: booleans, whole numbers, lists, else text", () => {
  const { blocks } = directiveData(readFileSync(dataFile, "utf8"));
  const typeOf = (block: keyof typeof blocks, name: string) => {
    const facts = blocks[block][name];
    assert.ok(facts, name);
    return directiveType(facts);
  };
  assert.deepEqual(
    [
      typeOf("Service", "ExecStart"),
      typeOf("Unit", "After"),
      typeOf("Exec", "NoNewPrivileges"),
      typeOf("Exec", "Nice"),
      typeOf("Exec", "PrivateTmp"),
      typeOf("Exec", "RestrictNamespaces"),
      typeOf("Exec", "UMask"),
      typeOf("CGroup", "CPUWeight"),
      typeOf("Service", "WatchdogSec"),
    ],
    ["string[]", "string[]", "boolean", "number", "string", "string", "string", "string", "string"],
  );
});
