import { test } from "node:test";
import { assertAccepted, assertRefused } from "./value-assertions.ts";

test("KillSignal takes a signal such as SIGTERM", () => {
  assertAccepted("KillSignal", ["SIGTERM", "TERM", "15", "SIGRTMIN+3"]);
  assertRefused("KillSignal", {
    "65": '"65" is not a signal; write e.g. SIGTERM',
    SIGTREM: '"SIGTREM" is not a signal; write e.g. SIGTERM; did you mean "SIGTERM"?',
    sigterm: '"sigterm" is not a signal; write e.g. SIGTERM; did you mean "SIGTERM"?',
    SIG15: '"SIG15" is not a signal; write e.g. SIGTERM',
  });
});

test("SuccessExitStatus takes exit statuses from 0 to 255, their names, or signals, separated by blanks", () => {
  assertAccepted("SuccessExitStatus", ["0 TEMPFAIL SIGKILL 143"]);
  assertRefused("SuccessExitStatus", {
    "256": '"256" is neither an exit status from 0 to 255, nor the name of one, nor a signal',
    EX_TEMPFAIL:
      '"EX_TEMPFAIL" is neither an exit status from 0 to 255, nor the name of one, nor a signal; did you mean "TEMPFAIL"?',
    SIGFOO:
      '"SIGFOO" is neither an exit status from 0 to 255, nor the name of one, nor a signal; did you mean "SIGFPE"?',
    "143,1": '"143,1" is neither an exit status from 0 to 255, nor the name of one, nor a signal',
  });
});

test("SystemCallErrorNumber takes an error name such as EPERM, a number from 1 to 4095, or kill", () => {
  assertAccepted("SystemCallErrorNumber", ["EPERM", "eperm", "13", "kill"]);
  assertRefused("SystemCallErrorNumber", {
    "0": '"0" is neither an error name such as EPERM nor a number from 1 to 4095',
    EPREM: '"EPREM" is neither an error name such as EPERM nor a number from 1 to 4095; did you mean "EPERM"?',
  });
});
