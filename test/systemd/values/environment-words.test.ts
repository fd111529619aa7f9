import { test } from "node:test";
import { assertAccepted, assertRefused } from "./value-assertions.ts";

test("Environment takes NAME=value words, each in quotes where the value has blanks", () => {
  assertAccepted("Environment", ["A=1 B=2", '"A=two words"', "A=%h", "A="]);
  assertRefused("Environment", {
    "A=pass word!=x":
      'a word behind the assignment of A is no assignment; put the whole assignment in quotes, as in "A=two words"',
    "A=two words":
      'a word behind the assignment of A is no assignment; put the whole assignment in quotes, as in "A=two words"',
    "1A=x": 'environment variable name "1A" is not allowed; write letters, digits and _, beginning with no digit',
    '"A=x': 'the value cannot be split into words: the quote " at index 0 is never closed',
    secret: "the first word is no assignment; write NAME=value",
    "A=\\d":
      "the value cannot be split into words: the escape of a backslash and U+0064 at index 2 is unknown; double a backslash that is meant literally",
  });
});

test("PassEnvironment takes names of variables, separated by blanks", () => {
  assertAccepted("PassEnvironment", ["LANG TZ"]);
  assertRefused("PassEnvironment", {
    "LANG,TZ":
      'environment variable name "LANG,TZ" is not allowed; write letters, digits and _, beginning with no digit',
  });
});

test("UnsetEnvironment takes names of variables, or NAME=value words", () => {
  assertAccepted("UnsetEnvironment", ["LANG", "LANG=C"]);
  assertRefused("UnsetEnvironment", {
    "1A=secret": 'environment variable name "1A" is not allowed; write letters, digits and _, beginning with no digit',
  });
});

test("LogExtraFields takes FIELD=value words", () => {
  assertAccepted("LogExtraFields", ["UNIT_KIND=api", '"A=b c"']);
  assertRefused("LogExtraFields", {
    "kind=api": '"kind" is no journal field; write A-Z, 0-9 and _, beginning with a letter',
    A: '"A" is no FIELD=value; put a value with blanks in quotes',
  });
});
