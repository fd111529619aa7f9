import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lintUnitTexts } from "../../../systemd/lints/lint-units.ts";
import { lintFamilies, lints } from "../../../systemd/lints/registry.ts";
import { unitTextsOf } from "./unit-texts.ts";

const page = readFileSync(join(import.meta.dirname, "../../../docs/lints.md"), "utf8");
const sections = new Map(
  page
    .split(/^### /m)
    .slice(1)
    .map((text) => [text.slice(0, text.indexOf("\n")), text.split(/^## /m)[0] ?? ""]),
);

test("the page has a section for each lint, in their order, and no other", () => {
  assert.deepEqual(
    [...sections.keys()],
    lints.map(({ id }) => id),
  );
  for (const { name, lints: own } of lintFamilies) {
    assert.match(page, new RegExp(`^## ${name}$`, "m"));
    const links = own.map(({ id }) => `[${id}](#${id})`).join(", ");
    assert.ok(page.includes(`| ${name} | ${links} |`), `the table has no row ${name} with all its lints`);
  }
});

for (const lint of lints) {
  test(`the section of ${lint.id} says what the lint says, and its examples behave`, () => {
    const text = sections.get(lint.id) ?? "";
    const [, bad = "", said = "", good = ""] =
      /```ini bad\n(.*?)\n```\n> (.*?)\n\n.*?```ini good\n(.*?)\n```/s.exec(text) ?? [];
    assert.ok(
      text.includes(`**${lint.severity}.** ${lint.why}\n`),
      `severity or why differ: ${lint.severity}, ${lint.why}`,
    );
    assert.ok(text.includes(`\n${lint.fix}\n`), `fix differs: ${lint.fix}`);

    const systemd = lint.id === "too-new" ? 252 : undefined;
    const options = { complete: true, systemd, now: new Date("2026-01-01") };
    const ofBad = lintUnitTexts(unitTextsOf(bad), options).filter(({ rule }) => rule === lint.id);
    assert.equal(said.replaceAll("\\<", "<"), ofBad[0]?.message);

    const ofGood = lintUnitTexts(unitTextsOf(good), options);
    assert.deepEqual(
      ofGood.filter(({ rule, severity }) => rule === lint.id || severity === "error"),
      [],
    );
  });
}
