import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import type { Definition } from "../../components/definition.ts";
import { HealthCheck } from "../../components/health-check.ts";
import { Host } from "../../components/host.ts";
import { Notifier } from "../../components/notifier.ts";
import { Service } from "../../components/service.ts";
import { SocketUnit } from "../../components/socket-unit.ts";
import { Timer } from "../../components/timer.ts";
import { Unit } from "../../components/unit.ts";
import { settledValue } from "./recorded.ts";

const exec = ["/bin/true"];
const hidden = (value: string) => pulumi.secret(value);
const part = "Hunter2";
const bad = `${part} 5 sceonds`;
const hostKey = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}`;

/** What is wrong with a component, each with a secret in a field where a check would say what it received. */
const cases: readonly [title: string, make: () => { definition: pulumi.Output<Definition> }, message: string][] = [
  [
    "a time span of a service",
    () => new Service("one", { exec, restartSec: hidden(bad) }),
    'one: restartSec: "[secret]" is not a time span: "[secret]" does not begin with a number; write e.g. "90s" or "1min 30s" (secret values are left out: [secret])',
  ],
  [
    "a directive of a service",
    () => new Service("two", { exec, service: { ProtectSystem: hidden(bad) } }),
    'two: service.ProtectSystem: ProtectSystem: "[secret]" is not one of no, yes, full, strict (secret values are left out: [secret])',
  ],
  [
    "a directive of a unit",
    () => new Unit("three.service", { Service: { ExecStart: exec, RestartSec: hidden(bad) } }),
    "three.service: a directive holds a secret, and every user of a host can read its units; pass it by secretEnvironment",
  ],
  [
    "the text of a unit",
    () => new Unit("four.service", { text: hidden(`[Service]\nExecStart=${bad}\n`) }),
    "four.service: a directive holds a secret, and every user of a host can read its units; pass it by secretEnvironment",
  ],
  [
    "an account",
    () => new Service("five", { exec, user: hidden(bad) }),
    'five: user: "[secret]" is not an account name; write a lower-case letter or _, then up to 30 of a-z 0-9 _ - (secret values are left out: [secret])',
  ],
  [
    "a calendar",
    () => new Timer("six", { onCalendar: hidden(bad), service: { exec } }),
    'six: onCalendar: calendar expression "[secret]": "[secret]" is neither a date nor a time; accepted is "[WEEKDAYS] [YEAR-MONTH-DAY] [HOUR:MINUTE[:SECOND]] [TIMEZONE]" in this order, or one of minutely, hourly, daily, weekly, monthly, quarterly, semiannually, yearly (secret values are left out: [secret])',
  ],
  [
    "an address",
    () => new SocketUnit("seven", { listenStream: hidden(bad), service: "seven.service" }),
    "seven.socket: a directive holds a secret, and every user of a host can read its units; pass it by secretEnvironment",
  ],
  [
    "an address of a notifier",
    () => new Notifier("eight", { mail: { host: "mail.example.org", from: "web@example.org", to: [hidden(bad)] } }),
    'eight: mail.to[0]: "[secret]" is not a mail address; write e.g. ops@example.org (secret values are left out: [secret])',
  ],
  [
    "a mistake that has nothing to do with the secret",
    () => new Service("nine", { exec, restartSec: "5 sceonds", description: hidden(bad) }),
    'nine: restartSec: "5 sceonds" is not a time span: "sceonds" is no unit; write e.g. "90s" or "1min 30s"; did you mean "seconds"?',
  ],
];

for (const [title, make, message] of cases) {
  test(`a secret as ${title}: no message holds it`, async () => {
    const said = await failure(() => settledValue(make().definition));
    assert.equal(said, message);
    assert.ok(!said.includes(part));
  });
}

test("a secret in a health check and in a connection: no message holds it", async () => {
  const check = () =>
    new HealthCheck("ten", { unit: { unitName: "ten.service" }, http: { url: hidden(bad) }, everySec: hidden(bad) });
  assert.doesNotMatch(await failure(() => settledValue(check().definition)), new RegExp(part));
  const host = () =>
    new Host("eleven", { connection: { host: hidden(bad), hostKey, port: hidden(bad) as never }, units: [] });
  assert.doesNotMatch(await failure(() => settledValue(host().receipt)), new RegExp(part));
});

/** What the check says, and that it does not say nothing. */
async function failure(step: () => Promise<unknown>): Promise<string> {
  try {
    await step();
  } catch (error) {
    // What Pulumi puts before it where a component registers with the value.
    return (error as Error).message.replace(/^error serializing property "\w+": /, "");
  }
  throw new Error("it was accepted");
}
