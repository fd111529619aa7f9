import { test } from "node:test";
import { assertAccepted, assertRefused } from "./value-assertions.ts";

test("Slice takes a unit name", () => {
  assertAccepted("Slice", ["api.slice", "%i.slice"]);
  assertRefused("Slice", {
    api: '"api" does not end in .slice; did you mean "api.slice"?',
    "api.service": '"api.service" does not end in .slice',
  });
});

test("After takes unit names, separated by blanks", () => {
  assertAccepted("After", ["redis.service network.target", "dev-x\\x2dy.device", "%i.service"]);
  assertRefused("After", {
    redis:
      'unit name "redis" does not end in the suffix of a unit type; write one of .service .socket .target .device .mount .automount .swap .timer .path .slice .scope; did you mean "redis.service"?',
    "redis.servce":
      'unit name "redis.servce" does not end in the suffix of a unit type; write one of .service .socket .target .device .mount .automount .swap .timer .path .slice .scope; did you mean "redis.service"?',
    "a.service,b.service":
      'unit name "a.service,b.service" holds ","; only letters, digits and : - _ . \\ @ are allowed (escape other text, as systemd-escape does); units are separated by blanks',
  });
});

test("names of units take fewer specifiers than other values", () => {
  assertAccepted("After", ["%i.service", "a@%i.service", "%p-db.service"]);
  assertRefused("After", {
    "%I.mount":
      '"%I.mount" holds %I, which systemd does not expand in names of units; write %i, the instance as it stands in the name',
    "a@%h.service": '"a@%h.service" holds %h, which systemd does not expand in names of units',
  });
});
