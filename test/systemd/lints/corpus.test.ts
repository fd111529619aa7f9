import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lintUnitTexts } from "../../../systemd/lints/lint-units.ts";
import { unitTextsIn } from "./unit-texts.ts";

const corpus = join(import.meta.dirname, "corpus");
const cases: Record<string, { readonly rule: string }> = JSON.parse(readFileSync(join(corpus, "cases.json"), "utf8"));

/** A mistake that makes a second one. */
const alsoWrong: Readonly<Record<string, readonly string[]>> = {
  "blank-behind-backslash": ["ignored-line"],
  "cd-first": ["shell-syntax"],
  "sudo-no-new-privileges": ["sudo-in-command"],
};

test("every folder of the corpus is a case, and there are enough of them", () => {
  const folders = readdirSync(corpus, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  assert.deepEqual(folders.map(({ name }) => name).toSorted(), Object.keys(cases).toSorted());
  assert.ok(folders.length >= 60);
});

for (const [name, { rule }] of Object.entries(cases)) {
  test(`broken unit ${name}: ${rule}, and nothing else`, () => {
    const options = { complete: true, systemd: 252, now: new Date("2026-01-01") };
    const found = lintUnitTexts(unitTextsIn(join(corpus, name)), options);
    const others = found.filter((finding) => finding.rule !== rule && finding.severity !== "info");
    assert.ok(found.some((finding) => finding.rule === rule));
    assert.deepEqual(
      others.map((finding) => finding.rule),
      alsoWrong[name] ?? [],
    );
  });
}
