import { test } from "node:test";
import { assertAccepted, assertRefused } from "./value-assertions.ts";

test("Nice takes a whole number", () => {
  assertAccepted("Nice", ["-20", "19", "+5", "0x5", "010"]);
  assertRefused("Nice", {
    "20": '"20" is out of range; write -20 to 19',
    ten: '"ten" is not a whole number; write one from -20 to 19',
    "5.5": '"5.5" is not a whole number; write one from -20 to 19',
  });
});

test("UMask takes an octal mode such as 0750", () => {
  assertAccepted("UMask", ["0077", "22"]);
  assertRefused("UMask", {
    "8": '"8" is not an octal mode; write one such as 0755, at most 7777',
    "77777": '"77777" is not an octal mode; write one such as 0755, at most 7777',
    "0o22": '"0o22" is not an octal mode; write one such as 0755, at most 7777',
    "u=rwx": '"u=rwx" is not an octal mode; write one such as 0755, at most 7777',
  });
});

test("CPUWeight takes a weight from 1 to 10000, or idle", () => {
  assertAccepted("CPUWeight", ["100", "idle"]);
  assertRefused("CPUWeight", {
    "0": '"0" is out of range; write 1 to 10000',
    low: '"low" is not a whole number; write one from 1 to 10000',
  });
});
