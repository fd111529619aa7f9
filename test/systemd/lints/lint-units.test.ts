import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { directivesOf, sectionNames } from "../../../systemd/directives.ts";
import { lints, lintUnits, lintUnitTexts } from "../../../systemd/lints/lint-units.ts";
import { parseUnitFile, parseUnitFileWithNotes } from "../../../systemd/unit-file.ts";
import { unitTextsOf } from "./unit-texts.ts";

test("a finding has the place, the rule, the message and what to do", () => {
  const text = "[Unit]\nDescription=Orders\n[Service]\nExecStart=/opt/api/run \\\n  --log > /var/log/api.log\n";
  assert.deepEqual(lintUnitTexts([{ name: "api.service", text }]).slice(1), [
    {
      unit: "api.service",
      file: "api.service",
      section: "Service",
      directive: "ExecStart",
      index: 0,
      line: 5,
      column: 9,
      endColumn: 10,
      rule: "shell-syntax",
      severity: "error",
      message: 'ExecStart: ">" is an argument of /opt/api/run, no shell looks at it',
      fix: 'Write ExecStart=/bin/sh -c "..." with the whole script in quotes, or use several ExecStartPre= and StandardOutput=append:FILE.',
    },
  ]);
});

test("without positions there is no line, and the index says which assignment is meant", () => {
  const file = parseUnitFile("[Service]\nExecStart=/opt/api/run\n[Unit]\nDescription=x\n[Service]\nNice=1\nNice=30\n");
  assert.deepEqual(
    lintUnits([{ name: "api.service", file }])
      .filter(({ severity }) => severity !== "info")
      .map(({ directive, index, line, column, rule }) => ({ directive, index, line, column, rule })),
    [
      { directive: "Nice", index: 1, line: undefined, column: undefined, rule: "bad-value" },
      { directive: "Nice", index: 1, line: undefined, column: undefined, rule: "repeated-assignment" },
    ],
  );
});

test("findings are in the order of the units, then of the lines; ignored lines stand in between", () => {
  const texts = unitTextsOf(`# b.service
[Unit]
Description=b
[Service]
ExecStart=/opt/b
KillMode=none
oops
TimeoutStopSec=0
# a.service
Foo=1
[Unit]
Description=a
[Sevice]
ExecStart=/opt/a
`);
  assert.deepEqual(
    lintUnitTexts(texts)
      .filter(({ severity }) => severity !== "info")
      .map(({ unit, line, rule }) => `${unit}:${line ?? ""} ${rule}`),
    [
      "b.service:5 kill-mode-none",
      "b.service:6 ignored-line",
      "b.service:7 stop-without-bound",
      "a.service:1 ignored-line",
      "a.service:2 no-exec-start",
      "a.service:4 unknown-section",
    ],
  );
});

test("a file that systemd refuses has one finding, and the others are still looked at", () => {
  const texts = unitTextsOf("# a.service\n[Service\n# b.timer\n[Timer]\nOnCalendar=daily\nUnit=b.timer\n");
  assert.deepEqual(
    lintUnitTexts(texts)
      .filter(({ severity }) => severity !== "info")
      .map(({ unit, line, rule }) => [unit, line, rule]),
    [
      ["a.service", 1, "syntax-error"],
      ["b.timer", 3, "activates-itself"],
    ],
  );
});

test("an empty file masks a unit and has no findings", () => {
  for (const name of ["a.service", "a.timer", "a.socket", "a.path", "a.mount"]) {
    assert.deepEqual(lintUnitTexts([{ name, text: "" }], { complete: true }), []);
  }
});

test("a unit that is not given is missing only where all are given, and none of the host's is named", () => {
  const texts = unitTextsOf("# clean.timer\n[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n");
  const found = (options: Parameters<typeof lintUnitTexts>[1]) => lintUnitTexts(texts, options).map(({ rule }) => rule);
  assert.deepEqual(found({}), []);
  assert.deepEqual(found({ complete: true }), ["activated-unit-missing"]);
  assert.deepEqual(found({ complete: true, externalUnits: ["clean.service"] }), []);
});

test("the target's systemd decides what is too new", () => {
  const text =
    "[Unit]\nDescription=x\n[Service]\nType=notify-reload\nExecStart=/opt/api/run\nRestart=always\nRestartSec=1s\nRestartSteps=4\nRestartMaxDelaySec=5\n";
  const found = (systemd: number | undefined) =>
    lintUnitTexts([{ name: "a.service", text }], { systemd })
      .filter(({ severity }) => severity === "error")
      .map(({ directive, rule }) => `${directive} ${rule}`);
  assert.deepEqual(found(252), ["Type too-new", "RestartSteps too-new", "RestartMaxDelaySec too-new"]);
  assert.deepEqual(found(254), []);
  assert.deepEqual(found(undefined), []);
});

test("no message holds a value that may be secret", () => {
  const text = `[Service]
ExecStart=/opt/api/run --password=hunter2 --url=postgres://u:hunter2@db/x "hunter2 > hunter2" | hunter2
ExecStart=/bin/sh -c echo hunter2
ExecStartPre=/usr/bin/env hunter2=hunter2 \${hunter2:-hunter2}
ExecReload=/usr/bin/python3 -c hunter2 ~/hunter2 /hunter2*
Environment=PASSWORD=hunter2 hunter2
Environment="A=$PASSWORD hunter2"
Environment=TOKEN=hunter2%20 # hunter2
SetCredential=password:hunter2
SetCredential=hunter2
StandardInputData=hunter2
`;
  const found = lintUnitTexts([{ name: "api.service", text }]);
  const withoutName = found.map(({ message, fix }) => `${message} ${fix}`.replaceAll("hunter2 is not set", ""));
  assert.ok(found.length >= 8, `only ${found.length} findings`);
  assert.deepEqual(
    withoutName.filter((message) => message.includes("hunter2")),
    [],
  );
});

test("any assignments give findings within the file, and lints know each other's ids", () => {
  const ids = new Set(lints.map(({ id }) => id));
  assert.equal(ids.size, lints.length);
  const value = fc.oneof(
    fc.constantFrom(
      "yes",
      "no",
      "",
      "0",
      "infinity",
      "5s",
      "/run/x",
      "%i",
      "a.service b.service",
      "/bin/sh -c 'a' ; b",
      '"x',
      "${A}",
    ),
    fc.string({ unit: "grapheme-ascii", maxLength: 30 }),
  );
  const line = fc.constantFrom(...sectionNames).chain((section) =>
    fc.record({
      section: fc.constant(section),
      key: fc.constantFrom(...directivesOf(section).map(({ name }) => name)),
      value,
    }),
  );
  const name = fc.constantFrom("a.service", "a@.service", "a.timer", "a.socket", "a.path", "a.mount", "b.service");
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.array(line, { maxLength: 12 })), { maxLength: 4 }), (units) => {
      const texts = units.map(([unit, lines]) => ({
        name: unit,
        text: lines.map((item) => `[${item.section}]\n${item.key}=${item.value}\n`).join(""),
      }));
      for (const finding of lintUnitTexts(texts, { complete: true, systemd: 252, now: new Date(0) })) {
        assert.ok(ids.has(finding.rule), finding.rule);
        const candidates = texts.filter((text) => text.name === finding.unit).map(({ text }) => text.split("\n"));
        const { line: number, column, endColumn } = finding;
        if (number === undefined) continue;
        const fits = candidates.some((lines) => {
          const length = lines[number - 1]?.length ?? -1;
          return (
            length >= 0 && (column === undefined || (column >= 1 && (endColumn ?? 0) > column && column <= length + 1))
          );
        });
        assert.ok(fits, JSON.stringify(finding));
      }
    }),
    { numRuns: 300 },
  );
});

test("parsing a file and linting its entries agree on positions of the last line of a long value", () => {
  const text = "[Service]\nExecStart=/opt/api/run \\\n# a comment\n  --port ${PORT}\n";
  const { file, notes, positions } = parseUnitFileWithNotes(text);
  const [found] = lintUnits([{ name: "api.service", file, notes, positions }]).filter(
    ({ rule }) => rule === "undefined-variable",
  );
  assert.deepEqual([found?.line, found?.column, found?.endColumn], [4, 10, 17]);
});
