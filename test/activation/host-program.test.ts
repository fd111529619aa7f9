import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { inflateSync } from "node:zlib";
import { sha256 } from "../../activation/digests.ts";
import { hostCommand } from "../../activation/host-command.ts";
import { hostProgram } from "../../activation/host-program.ts";
// biome-ignore lint/correctness/useImportExtensions: plain JavaScript, its types are beside it
import { joinedProgram, packedProgram } from "../../build/host-program.mjs";

const built = readFileSync(join(import.meta.dirname, "..", "..", "bin", "host", "pulumi-systemd-host.py"), "utf8");

test("what a host gets is the joined program, packed to less than half, the same bytes each time", () => {
  const { packed } = hostProgram();
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

suite("the program in the login user's home", () => {
  const program = "import sys\nprint(len(p), sys.argv[1:], i.read().decode())\n";
  const packed = packedProgram(program);
  const name = ".pulumi-systemd-x.program";
  const home = mkdtempSync(join(tmpdir(), "pulumi-systemd-home-"));
  after(() => rmSync(home, { recursive: true }));
  const run = (operation: "apply" | "destroy") => {
    const { status, stdout, stderr } = spawnSync("sh", ["-c", hostCommand(operation)], {
      input: `${sha256(packed)} ${name}\nthe rest`,
      env: { PATH: process.env.PATH, HOME: home },
      encoding: "utf8",
    });
    return { status, stdout, stderr };
  };
  const places = `/var/lib/pulumi-systemd-programs/${name} or ${home}/${name}`;
  const gone = `pulumi-systemd: its program is gone from this host, or was changed there (${places}); pulumi up sends it again, and so does pulumi destroy --run-program\n`;

  test("is run where it is there as it was sent", () => {
    writeFileSync(join(home, name), packed);
    assert.deepEqual(run("apply"), { status: 0, stdout: `${program.length} ['apply'] the rest\n`, stderr: "" });
  });

  test("is not run where it was changed or is gone: that is told, with what to do", () => {
    writeFileSync(join(home, name), packed.slice(0, -8));
    assert.deepEqual(run("apply"), { status: 1, stdout: "", stderr: gone });
    rmSync(join(home, name));
    assert.deepEqual(run("apply"), { status: 1, stdout: "", stderr: gone });
  });
});
