import assert from "node:assert/strict";
import { test } from "node:test";
import { hasAllHashes } from "../../../activation/environment/uv-lock.ts";

const project = '[[package]]\nname = "app"\nversion = "1"\nsource = { virtual = "." }\n';
const registry = 'source = { registry = "https://pypi.org/simple" }';
const hashed = `[[package]]\nname = "six"\nversion = "1"\n${registry}\nwheels = [{ url = "six.whl", hash = "sha256:00" }]\n`;
const bare = `[[package]]\nname = "six"\nversion = "1"\n${registry}\nwheels = [{ url = "six.whl" }]\n`;
const sources = `[[package]]\nname = "x"\nversion = "1"\n${registry}\nsdist = { url = "x.tar.gz" }\n`;
const git = '[[package]]\nname = "x"\nversion = "1"\nsource = { git = "https://example.org/x#0123" }\n';

test("a uv.lock asks for hashes where it has all of them", () => {
  assert.equal(hasAllHashes(project + hashed), true);
  assert.equal(hasAllHashes(project), true);
  for (const other of [bare, sources, git]) assert.equal(hasAllHashes(project + hashed + other), false, other);
  assert.equal(hasAllHashes("= no lock"), true);
});
