import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { schedule } from "../../../cli/schedule/schedule.ts";
import { UsageError } from "../../../cli/unit-source.ts";
import { printedJson, recordingTerminal } from "../recording-terminal.ts";

const cwd = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const folder = mkdtempSync(join(tmpdir(), "schedule-"));
after(() => rmSync(folder, { recursive: true }));
const hostKey = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}`;

function stackFile(timers: object): string {
  const hosts = Object.fromEntries(
    ["web1", "web2"].map((name) => [name, { connection: { host: `${name}.example.org`, hostKey } }]),
  );
  const file = join(folder, "Pulumi.test.yaml");
  writeFileSync(file, JSON.stringify({ config: { "pulumi-systemd:hosts": hosts, "pulumi-systemd:timers": timers } }));
  return file;
}

const options = { cwd, stack: "test", base: new Date("2026-01-05T12:00:00Z"), iterations: 1, timezone: "UTC" };

test("a stack's timers as a table, as JSON and as a picture", async () => {
  const service = { exec: ["/bin/true"] };
  const timers = { report: { schedule: { cron: "0 7 * * 1-5" }, randomizedDelaySec: "30min", service } };
  const configFile = stackFile(timers);
  const terminal = recordingTerminal();
  const svg = join(folder, "week.svg");
  assert.equal(await schedule({ ...options, configFile, svg }, terminal), 0);
  assert.deepEqual(terminal.printed, [
    "TIMER         HOSTS       WHEN                     JITTER  STARTS          NEXT (UTC)",
    "report.timer  web1, web2  Mon..Fri *-*-* 07:00:00  30min   report.service  2026-01-06 07:00:00",
    "",
    "note: report.timer fires on 2 hosts within 30 min, on average one every 15 min",
  ]);
  assert.match(readFileSync(svg, "utf8"), /^<svg .*report/s);

  const forPrograms = recordingTerminal();
  assert.equal(await schedule({ ...options, configFile, json: true }, forPrograms), 0);
  const report = printedJson(forPrograms) as { timers: { timer: string; next: string[] }[]; notes: { kind: string }[] };
  assert.deepEqual(
    report.timers.map(({ timer, next }) => [timer, next]),
    [["report.timer", ["2026-01-06T07:00:00.000Z"]]],
  );
  assert.deepEqual(
    report.notes.map(({ kind }) => kind),
    ["same-moment"],
  );
});

test("a program that fails is told, not a stack without timers", async () => {
  const configFile = stackFile({ report: { onCalendar: "at noon", service: { exec: ["/bin/true"] } } });
  await assert.rejects(
    () => schedule({ ...options, configFile }, recordingTerminal()),
    (error: Error) => error instanceof UsageError && /report.*onCalendar/s.test(error.message),
  );
});

test("the commands of docs/timers.md, as they stand there", () => {
  const text = readFileSync(join(cwd, "docs", "timers.md"), "utf8");
  const commands = [...text.matchAll(/^pulumi-systemd (.*)$/gm)].map((match) => match[1] ?? "");
  assert.equal(commands.length, 3);
  for (const command of commands) {
    const words = [join(cwd, "cli", "main.ts"), ...command.split(" ")];
    const { status, stdout } = spawnSync(process.execPath, words, { cwd, encoding: "utf8" });
    assert.equal(status, 0);
    assert.match(stdout, /\.timer/);
  }
});
