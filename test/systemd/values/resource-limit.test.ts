import { test } from "node:test";
import { assertAccepted, assertRefused } from "./value-assertions.ts";

test("LimitNOFILE takes a limit, or a soft and a hard limit with a colon between, or infinity", () => {
  assertAccepted("LimitNOFILE", ["1024", "1024:4096", "infinity", "1:infinity"]);
  assertRefused("LimitNOFILE", {
    "64K": '"64K" is not a number from 0 on; this limit takes no suffix; write e.g. "4096", "1024:4096" or infinity',
    "4096:1024": '"4096:1024" has a soft limit above the hard one; the smaller stands first',
    many: '"many" is not a number from 0 on; this limit takes no suffix; write e.g. "4096", "1024:4096" or infinity',
  });
});

test("limits take the unit of what they count", () => {
  assertAccepted("LimitAS", ["1G", "1.5G:2G", "infinity"]);
  assertAccepted("LimitCPU", ["10", "1min", "1s:1min"]);
  assertAccepted("LimitRTTIME", ["10", "1ms:1s"]);
  assertAccepted("LimitNICE", ["+5", "-20", "0", "40", "+5:-5", "5:10"]);
  assertRefused("LimitNICE", {
    "41": '"41" is not a nice limit; write a level with its sign (-20 to +19), or 0 to 40',
    infinity: '"infinity" is not a nice limit; write a level with its sign (-20 to +19), or 0 to 40',
  });
  assertRefused("LimitAS", { "2G:1G": '"2G:1G" has a soft limit above the hard one; the smaller stands first' });
});
