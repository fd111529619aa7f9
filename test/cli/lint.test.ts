import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { lint } from "../../cli/lint.ts";
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
  "leaky.service": good.replace("PYTHONUNBUFFERED=1", "PYTHONUNBUFFERED=1 API_KEY=hush-hush"),
});

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
    const { fix, ...rest } = first;
    assert.equal(typeof fix, "string");
    assert.deepEqual(rest, {
      file: at("misspelt.service"),
      line: 10,
      column: 1,
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
});
