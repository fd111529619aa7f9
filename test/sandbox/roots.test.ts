import assert from "node:assert/strict";
import { test } from "node:test";
import { rootPackages } from "../../sandbox/roots.ts";

test("a root's packages: the python that is asked for, and more", () => {
  const python = (options: Parameters<typeof rootPackages>[0]) =>
    rootPackages(options).filter((name) => name.startsWith("python"));
  assert.deepEqual(python({ release: "bookworm" }), ["python3", "python3-venv"]);
  assert.deepEqual(python({ release: "bookworm", python: "minimal" }), ["python3-minimal"]);
  assert.deepEqual(python({ release: "bookworm", python: "none" }), []);
  assert.deepEqual(python({ release: "bookworm", packages: ["python3-flask", "python3"] }), [
    "python3",
    "python3-flask",
    "python3-venv",
  ]);
});
