import { test } from "node:test";
import { assertAccepted, assertRefused } from "./value-assertions.ts";

test("ListenStream takes a path, @name, port, address:port or [IPv6 address]:port", () => {
  assertAccepted("ListenStream", ["8000", "/run/x.sock", "@x", "127.0.0.1:80", "[::1]:80", "vsock::80", "%t/x"]);
  assertRefused("ListenStream", {
    "0": '"0" is no socket address; write a path, "@name", a port from 1 to 65535, "1.2.3.4:80" or "[::1]:80"',
    "localhost:80":
      '"localhost:80" is no socket address; write a path, "@name", a port from 1 to 65535, "1.2.3.4:80" or "[::1]:80"; did you mean "127.0.0.1:80"?',
    "*:80":
      '"*:80" is no socket address; write a path, "@name", a port from 1 to 65535, "1.2.3.4:80" or "[::1]:80"; did you mean "80"?',
    "::1:80":
      '"::1:80" is no socket address; write a path, "@name", a port from 1 to 65535, "1.2.3.4:80" or "[::1]:80"; did you mean "[::1]:80"?',
    "127.0.0.1":
      '"127.0.0.1" is no socket address; write a path, "@name", a port from 1 to 65535, "1.2.3.4:80" or "[::1]:80"',
    "run/x": '"run/x" is no socket address; write a path, "@name", a port from 1 to 65535, "1.2.3.4:80" or "[::1]:80"',
    "/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx":
      '"/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..." has 108 bytes; the path of a socket has at most 107',
    '"80"':
      '"\\"80\\"" is no socket address; write a path, "@name", a port from 1 to 65535, "1.2.3.4:80" or "[::1]:80"; quotes are part of the value here, write it without them',
    "vsock:a:b": '"vsock:a:b" is no vsock address; write vsock:CID:PORT, as in "vsock:2:1234" or "vsock::1234"',
  });
});

test("ListenMessageQueue takes a name of the form /name", () => {
  assertAccepted("ListenMessageQueue", ["/jobs"]);
  assertRefused("ListenMessageQueue", {
    jobs: '"jobs" is no message queue; write its name after a slash, as in "/jobs"',
  });
});

test("ListenSequentialPacket takes no ports", () => {
  assertAccepted("ListenSequentialPacket", ["/run/x", "@x"]);
  assertRefused("ListenSequentialPacket", {
    "80": '"80" is no address for sequential packets; write a path, "@name" or vsock:CID:PORT',
  });
});

test("addresses may have a zone, whose % is doubled", () => {
  assertAccepted("ListenStream", ["[fe80::1%%eth0]:80", "[::ffff:1.2.3.4]:80", "[1:2:3:4:5:6:7:8]:80"]);
});

test("ListenMessageQueue takes no ..", () => {
  assertAccepted("ListenMessageQueue", ["/a//b", "/a/./b", "/%n"]);
  assertRefused("ListenMessageQueue", {
    "/rel/../x": '"/rel/../x" holds "..", which systemd refuses; write the path without it',
  });
});
