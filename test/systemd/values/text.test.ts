import { test } from "node:test";
import { assertAccepted, assertRefused } from "./value-assertions.ts";

test("Documentation takes URIs that begin with http://, https://, file:, info: or man:", () => {
  assertAccepted("Documentation", ["https://example.org man:api(8)"]);
  assertRefused("Documentation", {
    "example.org": '"example.org" is no URI for documentation; begin with http://, https://, file:/, info: or man:',
  });
});

test("StandardInputData takes base64 data", () => {
  assertAccepted("StandardInputData", ["aGVsbG8=", "aGVs bG8="]);
  assertRefused("StandardInputData", {
    hello: "the data is not base64: letters, digits, + and /, filled up with = to a multiple of four characters",
  });
});

test("StandardInputText takes text with C escapes such as \\n", () => {
  assertAccepted("StandardInputText", ["a\\nb"]);
  assertRefused("StandardInputText", {
    "\\d":
      "the text has a bad escape: the escape of a backslash and U+0064 at index 0 is unknown; double a backslash that is meant literally",
  });
});

test("BusName takes a D-Bus name such as org.example.Api", () => {
  assertAccepted("BusName", ["org.example.Api"]);
  assertRefused("BusName", {
    api: '"api" is no D-Bus name; write e.g. org.example.Api',
    "org.1x": '"org.1x" is no D-Bus name; write e.g. org.example.Api',
  });
});

test("FileDescriptorName takes a name without a colon, at most 255 characters", () => {
  assertAccepted("FileDescriptorName", ["http"]);
  assertRefused("FileDescriptorName", {
    "a:b": '"a:b" is no name of a descriptor; write at most 255 ASCII characters without a colon',
  });
});

test("ConditionACPower takes yes or no, after an optional | and !", () => {
  assertAccepted("ConditionACPower", ["yes", "!no", "|!yes"]);
  assertRefused("ConditionACPower", {
    maybe: '"maybe" is not a boolean; write yes or no, after | and ! as needed',
  });
});

test("DefaultInstance takes the instance part of a unit name", () => {
  assertAccepted("DefaultInstance", ["tty1"]);
  assertRefused("DefaultInstance", {
    "a/b": '"a/b" is no instance; write letters, digits and : - _ . \\ @, other text as systemd-escape does',
  });
});

test("LogNamespace takes the name of a journal namespace", () => {
  assertAccepted("LogNamespace", ["api"]);
  assertRefused("LogNamespace", {
    "a/b": '"a/b" is no journal namespace; write letters, digits and : - _ . \\',
  });
});

test("DelegateSubgroup takes the name of a control group", () => {
  assertAccepted("DelegateSubgroup", ["sub"]);
  assertRefused("DelegateSubgroup", {
    "a/b": '"a/b" is no name of a control group; write one name without "/"',
  });
});

test("BPFProgram takes an attach type and an absolute path, with a colon between", () => {
  assertAccepted("BPFProgram", ["egress:/sys/fs/bpf/x"]);
  assertRefused("BPFProgram", {
    "egres:/sys/fs/bpf/x":
      '"egres" is not one of ingress, egress, sock_create, sock_ops, device, bind4, bind6, connect4, connect6, post_bind4, post_bind6, sendmsg4, sendmsg6, sysctl, recvmsg4, recvmsg6, getsockopt, setsockopt; did you mean "egress"?',
    "/sys/fs/bpf/x": '"/sys/fs/bpf/x" has no colon; write the attach type, a colon and the path of the pinned program',
  });
});

test("OpenFile takes an absolute path, then optionally a name and options after colons", () => {
  assertAccepted("OpenFile", ["/etc/x:name:read-only"]);
  assertRefused("OpenFile", {
    x: '"x" is not an absolute path; it must begin with "/"',
    "/etc/x:name:readonly": '"readonly" is not one of read-only, append, truncate, graceful; did you mean "read-only"?',
  });
});

test("StandardInput takes null, tty, tty-force, tty-fail, socket, fd[:name], data or file:path", () => {
  assertAccepted("StandardInput", ["null", "file:/etc/x", "fd:in"]);
  assertRefused("StandardInput", {
    "file:x": '"x" is not an absolute path; it must begin with "/"',
    stdin: '"stdin" is not one of null, tty, tty-force, tty-fail, socket, fd, data, file:/path, fd:name',
    file: '"file" has no path; write file: and an absolute path',
  });
});

test("StandardOutput takes inherit, null, tty, journal, kmsg, journal+console, kmsg+console, socket, fd[:name], file:path, append:path or truncate:path", () => {
  assertAccepted("StandardOutput", ["journal", "append:/var/log/x", "syslog", "fd:out"]);
  assertRefused("StandardOutput", {
    jurnal:
      '"jurnal" is not one of inherit, null, tty, kmsg, kmsg+console, journal, journal+console, socket, fd, file:/path, append:/path, truncate:/path, fd:name; did you mean "journal"?',
    "append:x": '"x" is not an absolute path; it must begin with "/"',
    file: '"file" has no path; write file: and an absolute path',
  });
});

test("RebootArgument takes ASCII text of at most 255 characters", () => {
  assertAccepted("RebootArgument", ["a b", "%h", '"x', "a".repeat(255)]);
  assertAccepted("RebootArgument", ["ä"], 247);
  assertRefused("RebootArgument", {
    ä: '"ä" is no argument for the reboot call; write at most 255 ASCII characters',
    ["a".repeat(256)]: `"${"a".repeat(80)}..." is no argument for the reboot call; write at most 255 ASCII characters`,
  });
});
