import assert from "node:assert/strict";
import { test } from "node:test";
import { sectionSchema } from "../../systemd/section-schema.ts";

function issues(section: string, value: unknown, systemd?: number): [string, string][] {
  const parsed = sectionSchema(section, { systemd }).safeParse(value);
  return (parsed.error?.issues ?? []).map(({ path, message }) => [path.join("."), message]);
}

test("a sound section is parsed as it is", () => {
  const service = { ExecStart: ["/bin/true"], Nice: 5, PrivateTmp: true, User: undefined, MemoryLimit: "1G" };
  assert.deepEqual(sectionSchema("Service").parse(service), service);
  assert.deepEqual(sectionSchema("Timer").parse({ OnCalendar: ["daily"] }), { OnCalendar: ["daily"] });
});

test("each wrong directive is an issue at its path, with the message of the validator", () => {
  assert.deepEqual(issues("Service", { ProtectSytem: "strict", WatchdogSec: "90x", RestartSteps: 1 }, 252), [
    ["ProtectSytem", 'ProtectSytem: [Service] has no directive of this name; did you mean "ProtectSystem"?'],
    ["WatchdogSec", 'WatchdogSec: "90x" is not a time span: "x" is no unit; write e.g. "90s" or "1min 30s"'],
    ["RestartSteps", "RestartSteps: it needs systemd 254, the target has 252; leave it out or choose a newer target"],
  ]);
});

test("what is no value at all is an issue of its type", () => {
  assert.deepEqual(issues("Unit", { After: { a: 1 }, Description: null }), [
    ["After", "expected text, a number, a boolean, or a list of these"],
    ["Description", "expected text, a number, a boolean, or a list of these"],
  ]);
});
