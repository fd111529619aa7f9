import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BytesError, bytesProblem, formattedBytes, parsedBytes } from "../../../systemd/values/bytes.ts";
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

const sizes: Readonly<Record<string, number>> = {
  "0": 0,
  "10B": 10,
  "+5": 5,
  "1K": 1024,
  "1.5G": 1_610_612_736,
  "1 G": 1_073_741_824,
  "1G512M": 1_610_612_736,
  "1G 512M": 1_610_612_736,
  "0.5K": 512,
};

test("sizes are powers of 1024 that add up", () => {
  assert.deepEqual(Object.fromEntries(Object.keys(sizes).map((text) => [text, parsedBytes(text)])), sizes);
});

test("what is no size is a BytesError with the reason", () => {
  for (const text of ["", "512M 1G", "1K 1K", "16E", "1,5G", "0x10", "G", "1e9"]) {
    assert.throws(() => parsedBytes(text), BytesError, text);
  }
  assert.equal(
    bytesProblem("512M 1G"),
    '"512M 1G" is not a size in bytes: larger suffixes must stand first; write e.g. "64K", "512M" or "1.5G" (K M G T P E are powers of 1024)',
  );
  assert.equal(
    bytesProblem("1.5GiB"),
    '"1.5GiB" is not a size in bytes: "GiB" is no suffix; write e.g. "64K", "512M" or "1.5G" (K M G T P E are powers of 1024); did you mean "1.5G"?',
  );
});

test("sizes print with the largest suffix that divides them", () => {
  assert.deepEqual([0, 1000, 1024, 536_870_912, 1_610_612_736].map(formattedBytes), [
    "0",
    "1000",
    "1K",
    "512M",
    "1536M",
  ]);
});

test("the printed form of any size reads as that size", () => {
  fc.assert(
    fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (bytes) => {
      assert.equal(parsedBytes(formattedBytes(bytes)), bytes);
    }),
  );
});

test("memory limits that refuse 0 differ from those that take it", () => {
  assertRefused("MemoryHigh", { "0%": '"0%" is refused here; write more than 0, or infinity' });
  assertAccepted("MemoryLow", ["0", "0%"]);
  assertAccepted("MemorySwapMax", ["0"]);
});
