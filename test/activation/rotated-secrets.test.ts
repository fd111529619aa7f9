import assert from "node:assert/strict";
import { test } from "node:test";
import { sentInput } from "../../activation/host-command.ts";
import { rotatedSecrets } from "../../activation/rotated-secrets.ts";
import type { DefinedFile } from "../../components/definition.ts";
import { testBundle } from "./test-bundle.ts";

const sent = (...files: DefinedFile[]) => sentInput(testBundle([], files));
const secret = (name: string, content: string): DefinedFile => ({
  path: `/etc/x/${name}`,
  mode: "0600",
  content,
  secret: true,
});

test("a secret with another content is rotated; new, gone and open files are not", () => {
  const open = (content: string): DefinedFile => ({ ...secret("open", content), secret: false });
  const before = sent(secret("b", "1"), secret("a", "1"), secret("same", "1"), secret("gone", "1"), open("1"));
  const after = sent(secret("b", "2"), secret("a", "2"), secret("same", "1"), secret("new", "1"), open("2"));
  assert.deepEqual(rotatedSecrets(before, after), ["/etc/x/a", "/etc/x/b"]);
});

test("a secret whose same text stands for other bytes is rotated", () => {
  const after = sent({ ...secret("a", "Zm9v"), encoding: "base64" });
  assert.deepEqual(rotatedSecrets(sent(secret("a", "Zm9v")), after), ["/etc/x/a"]);
  assert.deepEqual(rotatedSecrets(after, after), []);
});

test("what another version of this library sent counts as far as it can be read", () => {
  const after = sent(secret("a", "2"));
  const older = `1\nx${JSON.stringify({ format: 0, files: [{ path: "/etc/x/a", content: "1", secret: true }] })}`;
  assert.deepEqual(rotatedSecrets(older, after), ["/etc/x/a"]);
  for (const text of ["", "1\nx{}", "1\nx{", "text"]) assert.deepEqual(rotatedSecrets(text, after), []);
});
