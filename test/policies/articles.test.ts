import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { suite, test } from "node:test";
import { articlesPage, articleUnits, measuredPage } from "./articles-page.ts";

suite("docs/articles.md", () => {
  const page = readFileSync(articlesPage, "utf8");

  test("says of each unit what the command and the gate say now (else: node test/policies/articles-page.ts)", () => {
    assert.equal(measuredPage(page), page);
  });

  test("shows what is refused of every unit that stands in an article", () => {
    for (const { path, verdicts } of articleUnits()) {
      assert.ok(page.includes(`<!-- verdicts ${path} -->`), path);
      assert.ok(
        verdicts.some(({ refuses }) => refuses),
        `${path} passes`,
      );
    }
  });

  test("links to pages and examples that are there", () => {
    const targets = [...page.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, target = ""]) => target);
    assert.ok(targets.length > 10);
    for (const target of new Set(targets)) assert.ok(existsSync(join(dirname(articlesPage), target)), target);
  });
});
