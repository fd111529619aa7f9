import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { nonRootUser } from "../../policies/non-root-user.ts";
import { serviceResource, violations } from "./resource-args.ts";

suite("non-root-user", () => {
  const accepted: [why: string, service: Record<string, string | string[]>, name?: string][] = [
    ["an account by name", { User: "orders" }],
    ["an account by number", { User: "1000" }],
    ["an account that only begins like root's number", { User: "0ps" }],
    ["DynamicUser=yes", { DynamicUser: "yes" }],
    ["DynamicUser=yes with a name", { DynamicUser: "yes", User: "orders" }],
    ["an account after a reset", { User: ["root", "", "orders"] }],
    [
      "prefixes that leave User= in force",
      { User: "orders", ExecStartPre: "-:/usr/bin/check", ExecStart: "@/bin/a a" },
    ],
    ["!!, which changes nothing on a current kernel", { User: "orders", ExecStart: "!!/usr/bin/api" }],
    ["a privileged command that was reset", { User: "orders", ExecStartPre: ["+/bin/mkdir /srv/a", ""] }],
    ["a + that is no prefix", { User: "orders", ExecStart: "/bin/date +%%s ; /bin/date !" }],
    ["a template whose instance names the account", { User: "%i" }, "app@.service"],
    ["an instance that names another account", { User: "%i" }, "app@orders.service"],
    ["a command that systemd refuses", { User: "orders", ExecStart: '+"' }],
  ];
  for (const [why, service, name] of accepted) {
    test(`passes ${why}`, () => assert.deepEqual(violations(nonRootUser, serviceResource(service, name)), []));
  }

  const refused: [found: string, service: Record<string, string | string[]>, name?: string][] = [
    ["User= is not set", {}],
    ["User= is not set", { DynamicUser: "no" }],
    ["User= is not set", { User: "" }],
    ["User= is not set", { User: ["orders", ""] }],
    ["User=root", { User: "root" }],
    ["User=0", { User: "0" }],
    ["User=00", { User: "00" }],
    ["User=root", { User: ["orders", "root"] }],
    ["User=root", { DynamicUser: "yes", User: "root" }],
    ["User=%u", { User: "%u" }],
    ["User=%U", { User: "%U" }],
    ["User=%i", { User: "%i" }, "app@root.service"],
    ["User=%p", { User: "%p" }, "root.service"],
  ];
  for (const [found, service, name = "api.service"] of refused) {
    test(`refuses ${JSON.stringify(service)} of ${name}`, () => {
      assert.deepEqual(violations(nonRootUser, serviceResource(service, name)), [
        `${name}: [Service] ${found}, wanted an account of its own, or DynamicUser=yes: whoever takes over the process is root on the host`,
      ]);
    });
  }

  const privileged: [directive: string, prefix: string, value: string | string[]][] = [
    ["ExecStart", "+", "+/usr/bin/api --key=hunter2"],
    ["ExecStartPre", "!", "-!/usr/bin/prepare"],
    ["ExecStopPost", "+", ["/bin/true", "-+/bin/rm /srv/a"]],
    ["ExecReload", "+", "/bin/true ; +/bin/kill $MAINPID"],
  ];
  for (const [directive, prefix, value] of privileged) {
    test(`refuses ${directive}=${JSON.stringify(value)} without showing the command`, () => {
      assert.deepEqual(violations(nonRootUser, serviceResource({ User: "orders", [directive]: value })), [
        `api.service: [Service] ${directive}= has a command with the prefix ${prefix}, wanted no such prefix: it runs as root in spite of User=`,
      ]);
    });
  }
});
