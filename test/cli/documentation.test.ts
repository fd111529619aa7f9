// Every command of docs/command.md, run as it stands there.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { splitWords } from "../../systemd/words.ts";
import { unitFolder } from "./unit-folder.ts";

const repository = join(import.meta.dirname, "..", "..");
const text = readFileSync(join(repository, "docs", "command.md"), "utf8");
const commands = [...text.matchAll(/^pulumi-systemd (.*)$/gm)].map((match) => match[1] ?? "");

const service = (exec: string) =>
  `[Unit]\nDescription=A unit\nStartLimitIntervalSec=0\n\n[Service]\nUser=orders\nExecStart=${exec}\n`;
const at = unitFolder({
  "api.service": `${service("/usr/bin/orders")}Restart=always\nRestartSec=5s\n\n[Install]\nWantedBy=multi-user.target\n`,
  "nightly.service": `${service("/usr/bin/cleanup")}Type=oneshot\n`,
  "nightly.timer": "[Timer]\nOnCalendar=*-*-* 03:00:00\nAccuracySec=1s\n\n[Install]\nWantedBy=timers.target\n",
});
const folder = dirname(at("api.service"));

describe("docs/command.md", () => {
  it("shows every command", () => {
    assert.deepEqual(
      [...new Set(commands.map((command) => command.split(" ")[0]))],
      ["lint", "score", "calendar", "fmt"],
    );
  });

  for (const command of commands) {
    it(`pulumi-systemd ${command}`, () => {
      const words = splitWords(command).map((word) => word.replace(/^units/, folder));
      const { status, stdout, stderr } = spawnSync(process.execPath, [join(repository, "cli", "main.ts"), ...words], {
        encoding: "utf8",
      });
      assert.deepEqual({ status, stderr }, { status: 0, stderr: "" }, stdout);
      assert.notEqual(stdout.trim(), "");
      if (words.includes("--json")) assert.ok(Array.isArray(JSON.parse(stdout)));
    });
  }
});
