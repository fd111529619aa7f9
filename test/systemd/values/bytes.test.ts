import { test } from "node:test";
import { assertAccepted, assertRefused } from "./value-assertions.ts";

test("PipeSize takes a size in bytes such as 64K or 1M", () => {
  assertAccepted("PipeSize", ["64K", "1.5M", "1G 512M", "4096"]);
  assertRefused("PipeSize", {
    "64KB":
      '"64KB" is not a size in bytes: "KB" is no suffix; write e.g. "64K", "512M" or "1.5G" (K M G T P E are powers of 1024); did you mean "64K"?',
    "64k":
      '"64k" is not a size in bytes: "k" is no suffix; write e.g. "64K", "512M" or "1.5G" (K M G T P E are powers of 1024); did you mean "64K"?',
    "-1": '"-1" is not a size in bytes: it is negative; write e.g. "64K", "512M" or "1.5G" (K M G T P E are powers of 1024)',
    infinity:
      '"infinity" is not a size in bytes: "infinity" does not begin with a number; write e.g. "64K", "512M" or "1.5G" (K M G T P E are powers of 1024)',
  });
});

test("MemoryMax takes a size in bytes such as 512M, a percentage such as 25%, or infinity", () => {
  assertAccepted("MemoryMax", ["512M", "25%", "infinity", "1.5G"]);
  assertRefused("MemoryMax", {
    "0": '"0" is refused here; write more than 0, or infinity',
    "512MB":
      '"512MB" is not a size in bytes: "MB" is no suffix; write e.g. "64K", "512M" or "1.5G" (K M G T P E are powers of 1024); did you mean "512M"?; also a percentage such as "25%", or infinity',
    "101%": '"101%" is more than 100%',
    lots: '"lots" is not a size in bytes: "lots" does not begin with a number; write e.g. "64K", "512M" or "1.5G" (K M G T P E are powers of 1024); also a percentage such as "25%", or infinity',
    "512m":
      '"512m" is not a size in bytes: "m" is no suffix; write e.g. "64K", "512M" or "1.5G" (K M G T P E are powers of 1024); did you mean "512M"?; also a percentage such as "25%", or infinity',
  });
});

test("TasksMax takes a number, a percentage such as 10%, or infinity", () => {
  assertAccepted("TasksMax", ["512", "10%", "infinity"]);
  assertRefused("TasksMax", {
    "0": '"0" is not a number of tasks; write e.g. "512", "10%" or infinity',
    "5K": '"5K" is not a number of tasks; write e.g. "512", "10%" or infinity',
  });
});
