import { test } from "node:test";
import { assertAccepted, assertRefused } from "./value-assertions.ts";

test("User takes a user or group, by name or number", () => {
  assertAccepted("User", ["orders", "1000", "%i"]);
  assertRefused("User", {
    "65535": '"65535" is not a user or group number; 65535 and 4294967295 mean no user',
    "a:b": '"a:b" is not a user or group name: it holds ":"',
    '"orders"': '"\\"orders\\"" is not a user or group name: quotes are part of the value here; write it without them',
    "01": '"01" is not a user or group number; write it without leading zeros',
  });
});

test("SupplementaryGroups takes users or groups, by name or number, separated by blanks", () => {
  assertAccepted("SupplementaryGroups", ["adm video"]);
  assertRefused("SupplementaryGroups", {
    "adm:video": '"adm:video" is not a user or group name: it holds ":"',
  });
});
