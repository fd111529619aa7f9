import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { inflateSync } from "node:zlib";
import { hostCommand } from "../../activation/host-command.ts";
import { packedHostProgram } from "../../activation/host-program.ts";
// biome-ignore lint/correctness/useImportExtensions: plain JavaScript, its types are beside it
import { joinedProgram, packedProgram } from "../../build/host-program.mjs";

const built = readFileSync(join(import.meta.dirname, "..", "..", "bin", "host", "pulumi-systemd-host.py"), "utf8");

test("what a host gets is the joined program, packed to less than half, the same bytes each time", () => {
  const packed = packedHostProgram();
  assert.equal(inflateSync(Buffer.from(packed, "base64")).toString(), built);
  assert.ok(packed.length < built.length / 2, `${packed.length} of ${built.length} bytes`);
  assert.equal(packedProgram(joinedProgram()), packed);
  assert.match(packed, /^[A-Za-z0-9+/]+=*$/);
});

test("the line of a host unpacks it and runs it, and leaves the rest of its input to it", () => {
  const program = "import sys\nprint(len(p), sys.argv[1:], i.read().decode())\n";
  const packed = packedProgram(program);
  const { status, stdout, stderr } = spawnSync("sh", ["-c", hostCommand("look")], {
    input: `${packed.length}\n${packed}{"a bundle": "h\u00e9"}`,
    encoding: "utf8",
  });
  assert.deepEqual(
    { status, stdout, stderr },
    { status: 0, stdout: `${program.length} ['look'] {"a bundle": "h\u00e9"}\n`, stderr: "" },
  );
});
