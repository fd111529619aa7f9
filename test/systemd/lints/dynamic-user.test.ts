import assert from "node:assert/strict";
import { test } from "node:test";
import { lintUnitTexts } from "../../../systemd/lints/lint-units.ts";

/** Findings about dynamic users: severity, lint and message of each. */
function found(units: Readonly<Record<string, string>>): string[] {
  const texts = Object.entries(units).map(([name, lines]) => ({
    name,
    text: `[Unit]\nDescription=x\n[Service]\nExecStart=/opt/run\n${lines}\n`,
  }));
  return lintUnitTexts(texts)
    .filter(({ rule }) => rule.startsWith("dynamic-user-"))
    .map(({ unit, severity, rule, message }) => `${unit}: ${severity} ${rule}: ${message}`);
}

for (const [what, name, lines, expected] of [
  ["an account by the unit's name", "mail.service", "DynamicUser=yes", ["warning dynamic-user-name-taken"]],
  ["an account by a template's name", "proxy@.service", "DynamicUser=yes", ["warning dynamic-user-name-taken"]],
  ["an account by User=", "api.service", "DynamicUser=yes\nUser=www-data", ["warning dynamic-user-name-taken"]],
  ["a group, with which it never starts", "video.service", "DynamicUser=yes", ["error dynamic-user-name-taken"]],
  ["a group by User=", "api.service", "DynamicUser=yes\nUser=render", ["error dynamic-user-name-taken"]],
  ["a name of its own in place of the unit's", "backup.service", "DynamicUser=yes\nUser=orders", []],
  ["no dynamic user", "backup.service", "User=backup", []],
  ["switched off again", "backup.service", "DynamicUser=yes\nDynamicUser=no\nUser=orders", []],
  [
    "what stays on",
    "api.service",
    "DynamicUser=yes\nProtectSystem=false\nRemoveIPC=no",
    Array(2).fill("warning dynamic-user-stays-on"),
  ],
  ["stricter than implied", "api.service", "DynamicUser=yes\nProtectHome=yes\nProtectSystem=strict", []],
  ["off without a dynamic user", "api.service", "User=api\nPrivateTmp=no", []],
] as const) {
  test(`of one unit: ${what}`, () => {
    assert.deepEqual(
      found({ [name]: lines }).map((text) => text.replace(/^\S+ (\S+ \S+):.*$/, "$1")),
      expected,
    );
  });
}

const shared = "StateDirectory=orders\nCacheDirectory=own";
for (const [what, units, expected] of [
  [
    "a fixed user has the directory too",
    { "a.service": `DynamicUser=yes\n${shared}`, "b.service": "User=orders\nStateDirectory=orders:link" },
    [
      "a.service: warning dynamic-user-shared-directory: StateDirectory=orders is that of b.service too, which runs as orders",
    ],
  ],
  [
    "root has it too",
    { "a.service": "DynamicUser=yes\nLogsDirectory=%p", "b.service": "LogsDirectory=a" },
    ["a.service: warning dynamic-user-shared-directory: LogsDirectory=a is that of b.service too, which runs as root"],
  ],
  [
    "one user",
    { "a.service": `DynamicUser=yes\nUser=o\n${shared}`, "b.service": `DynamicUser=yes\nUser=o\n${shared}` },
    [],
  ],
  [
    "instances of one template",
    { "a@1.service": `DynamicUser=yes\n${shared}`, "a@2.service": `DynamicUser=yes\n${shared}` },
    [],
  ],
  [
    "another kind of directory",
    { "a.service": "DynamicUser=yes\nStateDirectory=o", "b.service": "CacheDirectory=o" },
    [],
  ],
  [
    "a name that is not known here",
    { "a.service": "DynamicUser=yes\nStateDirectory=%i", "b.service": "StateDirectory=%i" },
    [],
  ],
] as const) {
  test(`of several units: ${what}`, () => assert.deepEqual(found(units), expected));
}
