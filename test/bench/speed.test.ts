import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pageWithResults } from "../../bench/deploy/page.ts";
import { plotText } from "../../bench/deploy/plot.ts";
import { cell, joinedResults, type Measured, type Results, resultsSchema } from "../../bench/deploy/results.ts";
import { tableText } from "../../bench/deploy/table.ts";

const repository = join(import.meta.dirname, "..", "..");
const folder = join(repository, "bench", "deploy", "results");
const text = (...path: string[]) => readFileSync(join(...path), "utf8");

test("tables and plot of docs/speed.md are those of the measured results", () => {
  const results = resultsSchema.parse(JSON.parse(text(folder, "results.json")));
  const page = text(repository, "docs", "speed.md");
  assert.equal(page, pageWithResults(page, results));
  assert.equal(text(folder, "results.md"), `${tableText(results)}\n`);
  assert.equal(text(folder, "speed.svg"), plotText(results));
});

const about = {
  date: "2026-01-02",
  machine: { processors: 2, model: "a processor", gigabytes: 8, kernel: "6.1" },
  versions: { pulumi: "3" },
};
const one = (contender: string, run: number, seconds: number, size = "1x1"): Measured => {
  return { size, contender, run, operation: "deploy", seconds, cpuSeconds: seconds / 2, megabytes: 9, load: 1 };
};
const results: Results = {
  sizes: { "1x1": about },
  contenders: ["pulumi-empty", "floor", "product", "ansible"].map((id) => ({ id, title: `the ${id}` })),
  measured: [
    ...[3, 1, 2].map((seconds, index) => one("product", index, seconds)),
    ...[1, 4].map((seconds, index) => one("ansible", index, seconds)),
  ],
};

test("a cell is the median, with the least and the most", () => {
  assert.deepEqual(cell(results, "1x1", "product", "deploy"), { median: 2, min: 1, max: 3, runs: 3 });
  assert.equal(cell(results, "1x1", "ansible", "deploy")?.median, 2.5);
  assert.equal(cell(results, "1x1", "product", "deploy", "cpuSeconds")?.median, 1);
  assert.equal(cell(results, "1x1", "product", "destroy"), undefined);
});

test("the table compares others with this product, and this product with the least that is possible", () => {
  const whole = {
    ...results,
    measured: (["deploy", "no-op", "change", "destroy"] as const).flatMap((operation) =>
      [one("pulumi-empty", 1, 1), one("floor", 1, 1), ...results.measured].map((each) => ({ ...each, operation })),
    ),
  };
  const lines = tableText(whole).split("\n");
  assert.deepEqual(lines.slice(0, 7), [
    "| 1 host, 1 service | first deploy | no-op | one directive changed | destroy |",
    "| --- | ---: | ---: | ---: | ---: |",
    "| the pulumi-empty | 1.0 s | 1.0 s | 1.0 s | 1.0 s |",
    "| the floor | 1.0 s | 1.0 s | 1.0 s | 1.0 s |",
    "| **the product** | 2.0 s | 2.0 s | 2.0 s | 2.0 s |",
    "| the ansible | 2.5 s (1.25x) | 2.5 s (1.25x) | 2.5 s (1.25x) | 2.5 s (1.25x) |",
    "| floor and empty run together (pulumi-systemd is so many times that) | 2.0 s (1.00x) | 2.0 s (1.00x) | 2.0 s (1.00x) | 2.0 s (1.00x) |",
  ]);
  assert.match(lines.at(-1) ?? "", /^1x1: 2026-01-02, .* runs: .*product 3, ansible 2\.$/);
});

test("sizes that are measured anew take the place of the earlier ones, the others stay", () => {
  const later = { ...results, sizes: { "8x10": about }, measured: [one("product", 1, 7, "8x10")] };
  const both = joinedResults(later, results);
  assert.deepEqual(Object.keys(both.sizes).sort(), ["1x1", "8x10"]);
  assert.deepEqual([...new Set(both.measured.map(({ size }) => size))], ["1x1", "8x10"]);
  const again = joinedResults(both, { ...results, measured: [one("product", 1, 9)] });
  assert.equal(cell(again, "1x1", "product", "deploy")?.median, 9);
  assert.equal(cell(again, "8x10", "product", "deploy")?.median, 7);
});

test("a page without the marks is not written over", () => {
  assert.throws(() => pageWithResults("# Speed\n", results), /no <!-- npm run bench writes this -->/);
});
