import { test } from "node:test";
import { assertAccepted, assertRefused } from "./value-assertions.ts";

test("SetCredential takes a name, a colon and a text", () => {
  assertAccepted("SetCredential", ["key:value", "key:a\\nb"]);
  assertRefused("SetCredential", {
    value: "there is no colon; write the name, a colon and the value",
    "key:": "there is no value behind the colon",
    "key:\\d":
      "the value has a bad escape: the escape of a backslash and U+0064 at index 0 is unknown; double a backslash that is meant literally",
  });
});

test("LoadCredential takes a name, then optionally a colon and a path", () => {
  assertAccepted("LoadCredential", ["key:/etc/key", "key"]);
  assertRefused("LoadCredential", {
    "a/b:/etc/key": '"a/b" is no name of a credential; write ASCII text without / and :, at most 255 characters',
    "key:/etc/../key": '"/etc/../key" holds "..", which systemd refuses; write the path without it',
  });
});

test("ImportCredential takes the name of a credential, or a pattern that ends in *", () => {
  assertAccepted("ImportCredential", ["app.*", "app"]);
  assertRefused("ImportCredential", {
    "a/b": '"a/b" is no name of a credential; write ASCII text without / and :, at most 255 characters',
  });
});
