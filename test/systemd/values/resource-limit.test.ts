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
