import assert from "node:assert/strict";
import { test } from "node:test";
import { sentInput } from "../../activation/host-command.ts";
import { lackingAll, lackingLines } from "../../activation/lacking.ts";
import type { DefinedFile, DefinedUnit } from "../../components/definition.ts";
import { testBundle, testUnit } from "./test-bundle.ts";

const sent = (units: DefinedUnit[], files: DefinedFile[] = []) => sentInput(testBundle(units, files));
const file = (path: string, content: string, mode = "0644"): DefinedFile => ({ path, mode, content, secret: true });
const api = (...lines: string[]) => testUnit("api.service", `[Service]\n${lines.join("\n")}\n`);

test("units are told with the lines that differ, other files by path alone", () => {
  const before = sent(
    [
      api("ExecStart=/bin/a", "Restart=always", "Environment=A=1", "Environment=A=1"),
      testUnit("gone.timer", "[Timer]\n"),
    ],
    [
      file("/etc/x/changed", "hush-1"),
      file("/etc/x/mode", "hush"),
      file("/etc/x/bytes", "Zm9v"),
      file("/etc/x/gone", "hush"),
      file("/etc/x/same", "hush"),
    ],
  );
  const after = sent(
    [api("ExecStart=/bin/b", "Restart=always", "Environment=A=1", "User=x"), testUnit("new.service", "[Service]\n")],
    [
      file("/etc/x/changed", "hush-2"),
      file("/etc/x/mode", "hush", "0600"),
      { ...file("/etc/x/bytes", "Zm9v"), encoding: "base64" },
      file("/etc/x/new", "hush"),
      file("/etc/x/same", "hush"),
    ],
  );
  assert.deepEqual(lackingLines(before, after), [
    "api.service:",
    "  -ExecStart=/bin/a",
    "  -Environment=A=1",
    "  +ExecStart=/bin/b",
    "  +User=x",
    "new.service: new",
    "gone.timer: to be removed",
    "/etc/x/bytes: changed",
    "/etc/x/changed: changed",
    "/etc/x/mode: changed",
    "/etc/x/new: new",
    "/etc/x/gone: to be removed",
  ]);
  assert.deepEqual(lackingLines(after, after), []);
});

test("of a host that never had any of it, all is told by name in one line", () => {
  const after = sent([api("User=x"), testUnit("new.timer", "[Timer]\n")], [file("/etc/x/new", "hush")]);
  assert.deepEqual(lackingAll(after), ["api.service", "new.timer", "/etc/x/new"]);
});

test("nothing is told of what another version of this library sent and cannot be read", () => {
  for (const text of ["", "text", "1\nx{}"]) {
    assert.deepEqual(lackingLines(text, sent([api("User=x")])), []);
    assert.deepEqual(lackingAll(text), []);
  }
});
