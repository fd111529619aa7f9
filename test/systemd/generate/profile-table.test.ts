import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { profileTables, tableMarks } from "../../../systemd/generate/profile-table.ts";

const doc = readFileSync(new URL("../../../docs/hardening.md", import.meta.url), "utf8");

test("the tables of docs/hardening.md are current: node systemd/generate/hardening-doc.ts writes them", () => {
  const from = doc.indexOf(tableMarks.begin) + tableMarks.begin.length;
  assert.equal(doc.slice(from, doc.indexOf(tableMarks.end)), `\n${profileTables()}\n`);
});

test("a table has the directives, their values and the scores of each profile", () => {
  const lines = profileTables().split("\n");
  assert.deepEqual(
    ["`RestrictAddressFamilies=` |", "`PrivateIPC=` |", "**exposure** with `User=` |"].map((start) =>
      lines.find((line) => line.startsWith(`| ${start}`)),
    ),
    [
      "| `RestrictAddressFamilies=` | `AF_UNIX` | `AF_UNIX AF_INET AF_INET6` | `AF_UNIX AF_INET AF_INET6` |  |",
      "| `PrivateIPC=` | `yes`, to be set by hand |  |  |  |",
      "| **exposure** with `User=` | **0.2** SAFE | **1.1** OK | **1.3** OK | **7.6** EXPOSED |",
    ],
  );
});
