import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { styleFor, tableLines } from "../../cli/terminal.ts";

describe("styleFor", () => {
  it("colours only a terminal, and not for a person who set NO_COLOR", () => {
    assert.equal(styleFor(true, {}).bad("x"), "\x1b[31mx\x1b[0m");
    assert.equal(styleFor(true, { NO_COLOR: "" }).bad("x"), "\x1b[31mx\x1b[0m");
    assert.equal(styleFor(true, { NO_COLOR: "1" }).bad("x"), "x");
    assert.equal(styleFor(false, {}).bad("x"), "x");
  });
});

describe("tableLines", () => {
  it("aligns columns whatever the colour of a cell", () => {
    const { bad } = styleFor(true, {});
    assert.deepEqual(
      tableLines([
        ["UNIT", "SCORE", "WHY"],
        ["a", bad("9.6"), "x"],
        ["long", "1", ""],
      ]),
      ["UNIT  SCORE  WHY", `a     ${bad("9.6")}    x`, "long  1"],
    );
  });
});
