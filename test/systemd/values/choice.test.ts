import { test } from "node:test";
import { assertAccepted, assertRefused } from "./value-assertions.ts";

test("ProtectSystem takes one of a few words", () => {
  assertAccepted("ProtectSystem", ["strict", "full", "yes", "true", "0"]);
  assertRefused("ProtectSystem", {
    stric: '"stric" is not one of no, yes, full, strict; did you mean "strict"?',
    Full: '"Full" is not one of no, yes, full, strict; did you mean "full"?',
    ro: '"ro" is not one of no, yes, full, strict',
  });
});
