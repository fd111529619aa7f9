import { test } from "node:test";
import { assertAccepted, assertRefused } from "./value-assertions.ts";

test("NoNewPrivileges takes yes or no", () => {
  assertAccepted("NoNewPrivileges", ["yes", "No", "1", "off", "T"]);
  assertRefused("NoNewPrivileges", {
    "2": '"2" is not a boolean; write yes or no',
    ja: '"ja" is not a boolean; write yes or no',
    yess: '"yess" is not a boolean; write yes or no; did you mean "yes"?',
  });
});
