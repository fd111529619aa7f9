import { test } from "node:test";
import { assertAccepted, assertRefused } from "./value-assertions.ts";

test("RootDirectory takes an absolute path", () => {
  assertAccepted("RootDirectory", ["/srv/app", "%h/app", "/a b"]);
  assertRefused("RootDirectory", {
    "srv/app": '"srv/app" is not an absolute path; it must begin with "/"',
    '"/srv/app"': '"\\"/srv/app\\"" is not an absolute path; quotes are part of the value here, write it without them',
    "~/app":
      '"~/app" is not an absolute path; only the shell knows ~, write the home directory itself, or "%h" for that of the service manager\'s user',
    "/srv/../app": '"/srv/../app" holds "..", which systemd refuses; write the path without it',
    "$HOME/app": '"$HOME/app" is not an absolute path; variables are not expanded here',
    "/srv/%X": "%X is no specifier of systemd; write %%X for the two characters %X",
  });
});

test("RequiresMountsFor takes absolute paths, separated by blanks", () => {
  assertAccepted("RequiresMountsFor", ["/srv /var/lib/x", "%t"]);
  assertRefused("RequiresMountsFor", {
    "/srv data": '"data" is not an absolute path; it must begin with "/"',
  });
});

test("ReadWritePaths takes absolute paths, separated by blanks, each after an optional - and +", () => {
  assertAccepted("ReadWritePaths", ["/a -/b +/c -+/d"]);
  assertRefused("ReadWritePaths", {
    a: '"a" is not an absolute path; it must begin with "/"',
    "+-/a": '"+-/a" has its marks in the wrong order; write - before +',
  });
});

test("ExecSearchPath takes absolute paths, separated by colons", () => {
  assertAccepted("ExecSearchPath", ["/a:/b"]);
  assertRefused("ExecSearchPath", {
    "/a:b": '"b" is not an absolute path; it must begin with "/"',
  });
});

test("EnvironmentFile takes an absolute path, after an optional -", () => {
  assertAccepted("EnvironmentFile", ["/etc/api.env", "-/etc/*.env"]);
  assertRefused("EnvironmentFile", {
    "api.env": '"api.env" is not an absolute path; it must begin with "/"',
  });
});

test("WorkingDirectory takes an absolute path or ~, after an optional -", () => {
  assertAccepted("WorkingDirectory", ["/srv", "~", "-/srv"]);
  assertRefused("WorkingDirectory", {
    srv: '"srv" is not an absolute path; it must begin with "/"',
    "~/app":
      '"~/app" is not an absolute path; only the shell knows ~, write the home directory itself, or "%h" for that of the service manager\'s user',
  });
});

test("ConditionPathExists takes an absolute path, after an optional | and !", () => {
  assertAccepted("ConditionPathExists", ["/etc/x", "!/etc/x", "|!/etc/x"]);
  assertRefused("ConditionPathExists", {
    "etc/x": '"etc/x" is not an absolute path; it must begin with "/"',
    "!|/etc/x": '"!|/etc/x" has its marks in the wrong order; write | before !',
  });
});

test("PIDFile takes a path; a relative one is below /run", () => {
  assertAccepted("PIDFile", ["/run/api.pid", "api.pid"]);
  assertRefused("PIDFile", {
    "../api.pid": '"../api.pid" holds "..", which systemd refuses; write the path without it',
  });
});

test("StateDirectory takes relative paths, separated by blanks", () => {
  assertAccepted("StateDirectory", ["api api/cache", "api:link", "%p"]);
  assertRefused("StateDirectory", {
    "/var/lib/api":
      '"/var/lib/api" is an absolute path; write it relative to the directory\'s own place, such as "api" for /var/lib/api',
    "../api": '"../api" holds "." or "..", which systemd refuses; write the path without it',
    private: '"private" is reserved for DynamicUser; write another name',
  });
});

test("ConfigurationDirectory takes no links", () => {
  assertRefused("ConfigurationDirectory", {
    "api:link": '"api:link" names a link, which this directive does not make; write the directory alone',
  });
});

test("StateDirectory takes no colons alone", () => {
  assertAccepted("StateDirectory", ["a:", ":a", "a::ro", "::ro"]);
  assertRefused("StateDirectory", {
    "::": '"::" names no directory; write directory or directory:link',
    "a :": '":" names no directory; write directory or directory:link',
  });
});
