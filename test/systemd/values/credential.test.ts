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
    "a*.b": '"a*.b" is no pattern of credentials; only a * at its end stands for any text',
  });
});

test("LoadCredential takes the name of a credential in place of the path", () => {
  assertAccepted("LoadCredential", ["a:b", "a:b c", "a:", "a:/b/", "a:%h/x", "a:b%ic"]);
  assertRefused("LoadCredential", {
    "http://x": '"//x" holds "//" or ".", which systemd refuses here; write the path without it',
    "a:/b/./c": '"/b/./c" holds "//" or ".", which systemd refuses here; write the path without it',
    "a:http://x": '"http://x" is neither an absolute path nor the name of a credential; begin the path with "/"',
    "a:b/c": '"b/c" is neither an absolute path nor the name of a credential; begin the path with "/"',
    "a:.": '"." is neither an absolute path nor the name of a credential; begin the path with "/"',
  });
});

test("SetCredentialEncrypted takes a name, a colon and base64 data", () => {
  assertAccepted("SetCredentialEncrypted", ["a:YWJj", "a:YW Jj", "a:YQ=="]);
  const problem = "the data is not base64: letters, digits, + and /, filled up with = to a multiple of four characters";
  assertRefused("SetCredentialEncrypted", { "a:b": problem, "a:YWJ": problem, "a:%h": problem, "a:\\x59WJj": problem });
});
