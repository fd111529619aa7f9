import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type LintReport, lint } from "../../cli/lint.ts";
import { UsageError } from "../../cli/unit-source.ts";
import { recordingTerminal } from "./recording-terminal.ts";
import { unitFolder } from "./unit-folder.ts";

const good = `[Unit]
Description=Orders
StartLimitIntervalSec=0

[Service]
Type=exec
User=orders
Environment=PYTHONUNBUFFERED=1
ExecStart=/usr/bin/python3 -m orders
Restart=on-failure
RestartSec=5s

[Install]
WantedBy=multi-user.target
`;
const at = unitFolder({
  "good.service": good,
  "misspelt.service": good.replace("Restart=on-failure", "Restrat=on-failure"),
  "late.service": good.replace("RestartSec=5s", "RestartSec=5s\nRestartSteps=5"),
  "dropped/api.service": good,
  "dropped/api.service.d/10-watchdog.conf": "[Service]\nType=notify\nRestrictAddressFamilies=AF_INET\nRestart=always\n",
  "dropped/api.service.d/20-more.conf": "[Service]\nExecStart=/usr/bin/python3 -m more\nUMask=0999\n",
  "nothing/readme.txt": "no unit",
  "bytes.service": Buffer.from("[Unit]\n# caf\xe9\nDescription=caf\xe9\n[Service]\nExecStart=/bin/true\n", "latin1"),
  "comment.service": Buffer.from(`# caf\xe9\n${good}`, "latin1"),
  "leaky.service": good.replace("PYTHONUNBUFFERED=1", "PYTHONUNBUFFERED=1 API_KEY=hush-hush"),
});

const root = `${at("")}/`;

describe("lint", () => {
  it("has nothing to say of a good unit, and ends with 0", () => {
    const terminal = recordingTerminal();
    assert.equal(lint([at("good.service")], {}, terminal), 0);
    assert.deepEqual(terminal.printed, ["1 file: 0 errors, 0 warnings, 0 to know"]);
  });

  it("shows a mistake where it stands, with what to do, and ends with 1", () => {
    const terminal = recordingTerminal();
    assert.equal(lint([at("misspelt.service")], {}, terminal), 1);
    assert.deepEqual(terminal.printed.slice(0, 3), [
      `${at("misspelt.service")}:10:1: error: Restrat: [Service] has no directive of this name; did you mean "Restart"? [unknown-directive]`,
      "    Restrat=on-failure",
      "    ^^^^^^^",
    ]);
  });

  it("prints an array of findings with --json", () => {
    const terminal = recordingTerminal();
    assert.equal(lint([at("good.service"), at("misspelt.service")], { json: true }, terminal), 1);
    const [first] = JSON.parse(terminal.printed.join("\n"));
    assert.deepEqual(first, {
      file: at("misspelt.service"),
      line: 10,
      section: "Service",
      directive: "Restrat",
      rule: "unknown-directive",
      severity: "error",
      message: 'Restrat: [Service] has no directive of this name; did you mean "Restart"?',
    });
  });

  it("finds what is too new for the target", () => {
    assert.equal(lint([at("late.service")], { systemd: 257 }, recordingTerminal()), 0);
    const terminal = recordingTerminal();
    assert.equal(lint([at("late.service")], { systemd: 247, json: true }, terminal), 1);
    assert.match(terminal.printed.join("\n"), /needs systemd 254/);
  });

  it("names a secret and does not copy it", () => {
    const terminal = recordingTerminal();
    lint([at("leaky.service")], {}, terminal);
    const text = terminal.printed.join("\n");
    assert.match(text, /API_KEY looks like a secret/);
    assert.doesNotMatch(text, /hush-hush/);
  });

  /** `file:line severity rule` of all but infos, the folder left out. */
  const told = (paths: readonly string[], options = {}) => {
    const terminal = recordingTerminal();
    lint(paths, { ...options, json: true }, terminal);
    const found: LintReport[] = JSON.parse(terminal.printed.join("\n"));
    return found
      .filter(({ severity }) => severity !== "info")
      .map(({ file, line, severity, rule }) => `${file.slice(root.length)}:${line} ${severity} ${rule}`);
  };

  it("reads a unit with its drop-ins as systemd merges them, and says in which file a mistake stands", () => {
    const files = ["api.service", "api.service.d/10-watchdog.conf", "api.service.d/20-more.conf"].map((name) =>
      at(`dropped/${name}`),
    );
    assert.deepEqual(told(files), [
      "dropped/api.service.d/10-watchdog.conf:3 error notify-without-af-unix",
      "dropped/api.service.d/20-more.conf:2 error several-exec-start",
      "dropped/api.service.d/20-more.conf:3 error bad-value",
    ]);
    assert.deepEqual(told([at("dropped/api.service")]), []);
  });

  it("looks at the lines of drop-ins alone, and misses nothing of the unit that it cannot see", () => {
    assert.deepEqual(told([at("dropped/api.service.d/20-more.conf")]), [
      "dropped/api.service.d/20-more.conf:3 error bad-value",
    ]);
  });

  it("takes a folder for the units in it and their drop-ins, each file once", () => {
    const all = told([at("dropped")]);
    assert.deepEqual(told([at("dropped"), at("dropped/api.service"), at("dropped/api.service.d")]), all);
    assert.equal(all.length, 3);
    assert.throws(() => told([at("nothing")]), new UsageError(`${at("nothing")}: holds no unit files`));
  });

  it("finds bytes that are no text, but in a comment", () => {
    assert.deepEqual(told([at("bytes.service"), at("comment.service")]), ["bytes.service:3 error syntax-error"]);
  });
});
