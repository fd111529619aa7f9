import { test } from "node:test";
import { assertAccepted, assertRefused } from "./value-assertions.ts";

test("ExecStart takes a command line: an absolute path or a program name, then its arguments", () => {
  assertAccepted("ExecStart", [
    "/bin/true",
    "-/usr/bin/env x",
    "true",
    "/bin/sh -c 'a; b'",
    "/bin/a ; /bin/b",
    "@/bin/a b",
    "%h/run",
  ]);
  assertRefused("ExecStart", {
    "bin/true":
      'executable "bin/true" is a relative path; write an absolute path, or a plain name that systemd finds in /usr/bin and the like',
    "/bin/true 'a": "the command line cannot be read: the quote ' at index 10 is never closed",
    "-": 'the command line has no executable behind "-"',
    "/bin/true %X": "%X is no specifier of systemd; write %%X for the two characters %X",
    "+!/bin/true":
      'executable "!/bin/true" is a relative path; write an absolute path, or a plain name that systemd finds in /usr/bin and the like',
    "./run.sh":
      'executable "./run.sh" is a relative path; write an absolute path, or a plain name that systemd finds in /usr/bin and the like',
  });
});
