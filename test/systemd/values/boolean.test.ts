import assert from "node:assert/strict";
import { test } from "node:test";
import { parsedBoolean } from "../../../systemd/values/boolean.ts";
import { assertAccepted, assertRefused } from "./value-assertions.ts";

test("NoNewPrivileges takes yes or no", () => {
  assertAccepted("NoNewPrivileges", ["yes", "No", "1", "off", "T"]);
  assertRefused("NoNewPrivileges", {
    "2": '"2" is not a boolean; write yes or no',
    ja: '"ja" is not a boolean; write yes or no',
    yess: '"yess" is not a boolean; write yes or no; did you mean "yes"?',
  });
});

test("booleans have six spellings each, in any case", () => {
  const spellings = [
    "1",
    "yes",
    "y",
    "true",
    "t",
    "on",
    "YES",
    "0",
    "no",
    "n",
    "false",
    "f",
    "off",
    "Off",
    "2",
    "",
    "toString",
  ];
  const found = spellings.map((text) => parsedBoolean(text));
  const yes = Array.from({ length: 7 }, () => true);
  const no = Array.from({ length: 7 }, () => false);
  assert.deepEqual(found, [...yes, ...no, undefined, undefined, undefined]);
});
