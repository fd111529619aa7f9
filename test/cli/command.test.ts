// The command as a person runs it: exit status, streams, and no stack trace for a mistake at the keyboard.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { unitFolder } from "./unit-folder.ts";

const main = join(import.meta.dirname, "..", "..", "cli", "main.ts");
const at = unitFolder({
  "open.service": "[Service]\nExecStart=/bin/true\n",
  "broken.service": "[Service\n",
  "latin.service": Buffer.from("[Unit]\nDescription=caf\xe9\n", "latin1"),
});

function ran(...args: readonly string[]) {
  return ranOn("", ...args);
}

function ranOn(input: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: "utf8", input });
  return { status, stdout, stderr };
}

describe("pulumi-systemd", () => {
  it("answers on standard output with 0", () => {
    assert.deepEqual(ran("calendar", "--json", "--base", "2024-02-27", "daily"), {
      status: 0,
      stdout:
        '{\n  "expression": "daily",\n  "normalized": "*-*-* 00:00:00",\n  "next": [\n    "2024-02-28T00:00:00.000Z"\n  ]\n}\n',
      stderr: "",
    });
  });

  it("ends with 1 above --threshold, after the whole answer", () => {
    const { status, stdout, stderr } = ran("score", "--json", "--threshold", "5.0", at("open.service"));
    assert.deepEqual([status, JSON.parse(stdout)[0].exposure, stderr], [1, 9.6, ""]);
  });

  it("reads standard input, under a name of its own", () => {
    const { status, stdout, stderr } = ranOn("[Timer]\nOnCalendar=dayly\n", "lint", "--json", "--name", "a.timer", "-");
    const [wrong] = JSON.parse(stdout).filter(({ rule }: { rule: string }) => rule === "bad-value");
    assert.deepEqual([status, stderr, wrong.file, wrong.line], [1, "", "-", 2]);
    assert.equal(ranOn("[Service]\n", "fmt", "-").stdout, "[Service]\n");
    assert.equal(JSON.parse(ranOn("[Service]\n", "score", "--json", "-").stdout)[0].unit, "stdin.service");
  });

  const mistakes: readonly (readonly [string, readonly string[], RegExp])[] = [
    ["an invalid calendar", ["calendar", "24:00"], /^calendar expression "24:00": hour "24": .*\n$/],
    ["an invalid calendar with --json", ["calendar", "--json", "24:00"], /^calendar expression "24:00": .*\n$/],
    ["an invalid cron schedule", ["calendar", "--cron", "60 * * * *"], /^cron schedule "60 \* \* \* \*": minute .*\n$/],
    ["a base that is no time", ["calendar", "--base", "soon", "daily"], /^--base "soon" is not a time; .*\n$/],
    [
      "a zone that does not exist",
      ["calendar", "--timezone", "Mars/Olympus", "daily"],
      /^[^\n]*Mars\/Olympus[^\n]*\n$/,
    ],
    [
      "a folder in place of a file",
      ["score", dirname(at("x"))],
      /: cannot be read: it is a directory; name the files .*\n$/,
    ],
    ["a file that is not text", ["fmt", at("latin.service")], /latin\.service: line 2: the line is not UTF-8; .*\n$/],
    [
      "a file that is not there",
      ["score", at("none.service")],
      /none\.service: cannot be read: there is no such file\n$/,
    ],
    ["a file that systemd refuses", ["fmt", at("broken.service")], /broken\.service: line 1: [^\n]*\n$/],
    ["a systemd whose score is unknown", ["score", "--systemd", "99", at("open.service")], /write a version such as/],
    ["no file", ["score"], /missing required argument/],
    ["an unknown command", ["scor", at("open.service")], /unknown command/],
  ];
  for (const [title, args, message] of mistakes) {
    it(`says what is wrong with ${title}, without a stack, and ends with 1`, () => {
      const { status, stdout, stderr } = ran(...args);
      assert.deepEqual({ status, stdout }, { status: 1, stdout: "" });
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /^ {4}at /m);
    });
  }

  it("has help with examples for every command", () => {
    for (const name of ["lint", "score", "calendar", "fmt"]) {
      const { status, stdout } = ran(name, "--help");
      assert.equal(status, 0);
      assert.match(stdout, /Examples?:\n {2}pulumi-systemd /, name);
    }
  });
});
