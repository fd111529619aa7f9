import { test } from "node:test";
import { assertAccepted, assertRefused } from "./value-assertions.ts";

test("DeviceAllow takes a device such as /dev/null or char-pts, then r, w and m as needed", () => {
  assertAccepted("DeviceAllow", ["/dev/null rr", "/dev/fuse rw", "char-pts", "block-loop rwm"]);
  assertRefused("DeviceAllow", {
    "fuse rw": '"fuse" is no device; write a path below /dev, or a class such as char-pts or block-loop',
    "/dev/fuse rwx": '"/dev/fuse rwx" has bad rights; write r (read), w (write) and m (make), as in "/dev/fuse rw"',
  });
});

test("IOReadBandwidthMax takes an absolute path and a size such as 10M", () => {
  assertAccepted("IOReadBandwidthMax", ["/dev/sda 10M", "/dev/sda infinity"]);
  assertRefused("IOReadBandwidthMax", {
    "/dev/sda": '"/dev/sda" is only one word; write the device\'s path, a blank and the amount',
    "/dev/sda 10MB":
      '"10MB" is not a size in bytes: "MB" is no suffix; write e.g. "64K", "512M" or "1.5G" (K M G T P E are powers of 1024); did you mean "10M"?',
    "sda 10M": '"sda" is not an absolute path; it must begin with "/"',
    "/dev/sda 0": '"0" is refused; write more than 0, or infinity',
  });
});

test("IOReadIOPSMax takes an absolute path and a number such as 1000", () => {
  assertAccepted("IOReadIOPSMax", ["/dev/sda 1K"]);
  assertRefused("IOReadIOPSMax", {
    "/dev/sda many":
      '"many" is not a size in bytes: "many" does not begin with a number; write e.g. "64K", "512M" or "1.5G" (K M G T P E are powers of 1024)',
  });
});

test("IODeviceLatencyTargetSec takes an absolute path and a time span such as 25ms", () => {
  assertAccepted("IODeviceLatencyTargetSec", ["/dev/sda 25ms"]);
  assertRefused("IODeviceLatencyTargetSec", {
    "/dev/sda 25x": '"25x" is not a time span: "x" is no unit; write e.g. "90s" or "1min 30s"',
  });
});

test("IODeviceWeight takes an absolute path and a weight from 1 to 10000", () => {
  assertAccepted("IODeviceWeight", ["/dev/sda 200"]);
  assertRefused("IODeviceWeight", {
    "/dev/sda 20000": '"20000" is out of range; write 1 to 10000',
  });
});
