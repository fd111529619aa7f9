import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { lintUnitTexts } from "../../../systemd/lints/lint-units.ts";
import { unitTextsIn } from "./unit-texts.ts";

/** What units as articles on the web print them are told, `info` included. */
const told: Readonly<Record<string, readonly string[]>> = {
  "000-systemd-python": [
    "myscript.timer:4 warning activated-unit-missing",
    "myscript.timer:6 error inline-comment",
    "myscript.timer:7 error inline-comment",
    "myservice.service:7 info required-unit-unknown",
    "myservice.service:24 info start-limit-never-trips",
    "myservice.socket: info no-install",
  ],
  "000-with-its-sandbox": [
    "myservice.service:7 info required-unit-unknown",
    "myservice.service:24 info start-limit-never-trips",
    "myservice.service:42 error notify-without-af-unix",
  ],
  "001-healthcheck": [
    "backend-restart.service:8 warning root-runs-user-writable-path",
    "healthcheck.service:11 error start-limit-outside-unit",
    "healthcheck.service:12 warning start-limit-outside-unit",
    "healthcheck.service:12 warning start-limit-never-trips",
  ],
  "002-systemd-intro": [
    "NetworkManager.service:22 info kill-mode-process",
    "huobi.service:7 info root-interpreter",
    "huobi.service:10 info python-buffered-output",
    "huobi.service:10 warning root-runs-user-writable-path",
    "huobi.service:11 info restart-gives-up-fast",
  ],
  "003-watchdog": [
    "test.service: info no-install",
    "test.service:6 info root-interpreter",
    "test.service:8 info restart-gives-up-fast",
  ],
  "004-bot": [
    "namebot.service:3 info after-wanting-target",
    "namebot.service:8 info python-buffered-output",
    "namebot.service:8 info root-interpreter",
    "namebot.service:10 info start-limit-never-trips",
    "template.service:3 info after-wanting-target",
    "template.service:7 error bad-value",
    "template.service:10 error bad-value",
  ],
};

for (const [article, expected] of Object.entries(told)) {
  test(`the units of article ${article}`, () => {
    const texts = unitTextsIn(join(import.meta.dirname, "articles", article));
    const found = lintUnitTexts(texts, { complete: true, systemd: 252 });
    assert.deepEqual(
      found.map(({ unit, line, severity, rule }) => `${unit}:${line ?? ""} ${severity} ${rule}`),
      expected,
    );
  });
}
