import assert from "node:assert/strict";
import { test } from "node:test";
import type { SectionDirectives, UnitSections } from "../../systemd/sections.ts";
import { parseUnitFile } from "../../systemd/unit-file.ts";
import { unitFileProblems, unitProblems, type ValidationOptions } from "../../systemd/validate.ts";

function serviceMessages(directives: SectionDirectives, options?: ValidationOptions): string[] {
  return messages({ Service: directives }, options);
}

function messages(sections: UnitSections, options?: ValidationOptions, unit = "api.service"): string[] {
  return unitProblems(unit, sections, options).map(
    ({ severity, section, message }) => `${severity} [${section}] ${message}`,
  );
}

test("a sound unit has no problems", () => {
  const sections: UnitSections = {
    Unit: { Description: "Orders", After: ["network.target", "redis.service"], StartLimitIntervalSec: 0 },
    Service: {
      Type: "notify",
      ExecStart: ["/srv/api/bin/python -m orders"],
      WatchdogSec: "90s",
      User: "orders",
      PrivateTmp: true,
      Restart: "on-failure",
      CapabilityBoundingSet: "",
      SystemCallFilter: ["@system-service", "~@privileged"],
      "X-Owner": "anything\\x",
    },
    "X-Tool": { Any: "thing" },
    Install: { WantedBy: ["multi-user.target"] },
  };
  assert.deepEqual(unitProblems("api.service", sections, { systemd: 247 }), []);
  assert.deepEqual(unitProblems("api@.service", sections), []);
});

test("a problem names the unit, the section, the directive, the value and what to write", () => {
  assert.deepEqual(unitProblems("api.service", { Service: { WatchdogSec: "90x" } }), [
    {
      unit: "api.service",
      section: "Service",
      directive: "WatchdogSec",
      received: "90x",
      message: 'WatchdogSec: "90x" is not a time span: "x" is no unit; write e.g. "90s" or "1min 30s"',
      severity: "error",
    },
  ]);
});

test("a mode is text: a number has lost its octal digits", () => {
  const why = "is no mode; write its octal digits in quotes, such as '0660' (without quotes YAML makes 432 of it)";
  assert.deepEqual(serviceMessages({ UMask: 23, StateDirectoryMode: "0750" }), [
    `error [Service] UMask: the number 23 ${why}`,
  ]);
  assert.deepEqual(messages({ Socket: { SocketMode: 432 } }, {}, "api.socket"), [
    `error [Socket] SocketMode: the number 432 ${why}`,
  ]);
});

test("unknown and misplaced directives have the nearest spelling or the right section", () => {
  assert.deepEqual(
    messages({
      Unit: { Descripton: "x", OnCalendar: "daily" },
      Service: {
        ProtectSytem: "strict",
        StartLimitIntervalSec: 5,
        WantedBy: "x.target",
        Colour: "red",
        Afetr: "x.target",
      },
      Install: { ExecStart: ["/bin/true"] },
    }),
    [
      'error [Unit] Descripton: [Unit] has no directive of this name; did you mean "Description"?',
      "error [Unit] OnCalendar: it belongs in [Timer] of a timer unit, not in [Unit]",
      'error [Service] ProtectSytem: [Service] has no directive of this name; did you mean "ProtectSystem"?',
      "error [Service] StartLimitIntervalSec: it belongs in [Unit], not in [Service]",
      "error [Service] WantedBy: it belongs in [Install], not in [Service]",
      "error [Service] Colour: [Service] has no directive of this name in systemd up to 257; names that begin with X- are free",
      'error [Service] Afetr: [Service] has no directive of this name; did you mean "After" in [Unit]?',
      "error [Install] ExecStart: it belongs in [Service], not in [Install]",
    ],
  );
  assert.deepEqual(serviceMessages({ Colour: "red" }, { systemd: 258 }), [
    "warning [Service] Colour: [Service] has no directive of this name in systemd up to 257; names that begin with X- are free",
  ]);
});

test("sections that the type of the unit does not have are named with those that it has", () => {
  assert.deepEqual(messages({ Sevice: { Type: "exec" }, Timer: { OnCalendar: "bad" }, unit: {} }), [
    'error [Sevice] [Sevice] is no section of a service unit; it takes [Unit], [Service], [Install]; did you mean "Service"?',
    "error [Timer] a service unit has no section [Timer]; it takes [Unit], [Service], [Install]",
    'error [unit] [unit] is no section of a service unit; it takes [Unit], [Service], [Install]; did you mean "Unit"?',
  ]);
  assert.deepEqual(messages({ "X-a]\nType=exec": {} }), [
    'error [X-a]\nType=exec] "X-a]\\nType=exec" is no name of a section',
  ]);
  assert.deepEqual(messages({ Service: { Type: "exec" } }, {}, "x.target"), [
    "error [Service] a target unit has no section [Service]; it takes [Unit], [Install]",
  ]);
});

test("a bad unit name is a problem of its own, and the sections are still checked", () => {
  assert.deepEqual(unitProblems("a/b.service", { Service: { Nice: 20 } }), [
    {
      unit: "a/b.service",
      section: "",
      message:
        'unit name "a/b.service" holds "/"; only letters, digits and : - _ . \\ @ are allowed (escape other text, as systemd-escape does)',
      severity: "error",
    },
    {
      unit: "a/b.service",
      section: "Service",
      directive: "Nice",
      received: "20",
      message: 'Nice: "20" is out of range; write -20 to 19',
      severity: "error",
    },
  ]);
  assert.equal(unitProblems("api", { Timer: { OnCalendar: ["daily"] } }).length, 1);
});

test("a list belongs to directives that are assigned more than once", () => {
  assert.deepEqual(serviceMessages({ User: ["a", "b"], ReadWritePaths: ["/a", "b", "/c"], Type: [] }), [
    "error [Service] User: it takes one value, not a list; got 2 items",
    'error [Service] ReadWritePaths: item 2 of 3: "b" is not an absolute path; it must begin with "/"',
    "error [Service] Type: it takes one value, not a list; got 0 items",
  ]);
});

test("directives and values that are newer than the target are errors", () => {
  assert.deepEqual(serviceMessages({ RestartSteps: 5, Type: "notify-reload", ProtectClock: true }, { systemd: 252 }), [
    "error [Service] RestartSteps: it needs systemd 254, the target has 252; leave it out or choose a newer target",
    'error [Service] Type: "notify-reload" needs systemd 253, the target has 252',
  ]);
  assert.deepEqual(serviceMessages({ RestartSteps: 5, Type: "notify-reload" }), []);
});

test("what is obsolete, replaced or gone is said, with what to write", () => {
  const old = { MemoryLimit: "1G", Capabilities: "x", StartLimitBurst: 5, ManagedOOMMemoryPressureLimitPercent: "5%" };
  assert.deepEqual(serviceMessages(old), [
    "warning [Service] MemoryLimit: it is an old form; write MemoryMax",
    "warning [Service] Capabilities: it has no effect any more; leave it out",
    "warning [Service] StartLimitBurst: it is an old form; write StartLimitBurst in [Unit]",
    "warning [Service] ManagedOOMMemoryPressureLimitPercent: only systemd up to 247 knows it; write ManagedOOMMemoryPressureLimit",
  ]);
  assert.deepEqual(serviceMessages({ ManagedOOMMemoryPressureLimitPercent: "5%" }, { systemd: 247 }), []);
  assert.deepEqual(serviceMessages({ ManagedOOMMemoryPressureLimitPercent: "5%" }, { systemd: 252 }), [
    "error [Service] ManagedOOMMemoryPressureLimitPercent: only systemd up to 247 knows it; write ManagedOOMMemoryPressureLimit",
  ]);
});

test("an empty assignment that does nothing is a warning, one that resets is none", () => {
  assert.deepEqual(
    messages({
      Unit: { After: "" },
      Service: { PrivateTmp: "", ExecStart: ["", "/bin/true"], MemoryMax: "", Delegate: "" },
    }),
    [
      "warning [Unit] After: an empty assignment takes nothing back here, dependencies can only be added; leave it out",
      "warning [Service] PrivateTmp: systemd ignores an empty assignment here and keeps what was set; leave it out",
    ],
  );
});

test("what one line cannot hold is an error, for free names as well, and is not echoed", () => {
  const found = unitProblems("api.service", {
    Service: {
      Environment: ["A=secret\nExecStart=/bin/evil"],
      "X-Free": "a\nb",
      Description: "tail\\",
      Nice: Number.NaN,
      "Bad Name": "x",
      "Type=exec\nUser": "root",
      SyslogIdentifier: "a\u0000b",
    },
  });
  assert.deepEqual(
    found.map(({ message, received }) => [message, received]),
    [
      [
        "Environment: the value holds a line break; an assignment is one line. Give a list for several assignments, or write \\n where the directive takes C escapes",
        undefined,
      ],
      [
        "X-Free: the value holds a line break; an assignment is one line. Give a list for several assignments, or write \\n where the directive takes C escapes",
        undefined,
      ],
      [
        "Description: the value ends in a backslash, which would join the next line to it; write it doubled and in quotes",
        undefined,
      ],
      ["Nice: NaN is not a finite number", undefined],
      ['"Bad Name" is no name of a directive', undefined],
      ['"Type=exec\\nUser" is no name of a directive', undefined],
      ["SyslogIdentifier: the value holds a NUL character, which systemd refuses", undefined],
    ],
  );
});

test("values that may be secret are in no part of a problem", () => {
  const found = unitProblems("api.service", {
    Service: {
      Environment: ["A=hunter2 hunter2", '"B=hunter2', "A=\\hunter2"],
      SetCredential: ["hunter2", "key:\\hunter2"],
      StandardInputData: "hunter2",
      StandardInputText: ["\\hunter2"],
      ExecStart: ["/bin/x 'hunter2"],
    },
  });
  assert.equal(found.length, 8);
  assert.doesNotMatch(JSON.stringify(found), /hunter/);
});

test("a file is checked like sections; what is assigned twice is a warning unless the first was reset", () => {
  const file = parseUnitFile(`[Unit]
Description=x
[Service]
Type=simple
Type=notify
User=
User=orders
ExecStart=/bin/true
ExecStart=bin/false
[Unit]
Afterr=network.target
[Timer]
OnCalendar=daily
`);
  assert.deepEqual(
    unitFileProblems("api.service", file).map(
      ({ severity, section, message }) => `${severity} [${section}] ${message}`,
    ),
    [
      'error [Unit] Afterr: [Unit] has no directive of this name; did you mean "After"?',
      "warning [Service] Type: it is assigned 2 times; systemd takes the last one",
      'error [Service] ExecStart: item 2 of 2: executable "bin/false" is a relative path; write an absolute path, or a plain name that systemd finds in /usr/bin and the like',
      "error [Timer] a service unit has no section [Timer]; it takes [Unit], [Service], [Install]",
    ],
  );
});
