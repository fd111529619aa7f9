import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { HealthCheck } from "../../components/health-check.ts";
import { Host } from "../../components/host.ts";
import { Service } from "../../components/service.ts";
import { SocketUnit } from "../../components/socket-unit.ts";
import { Timer } from "../../components/timer.ts";
import { Unit } from "../../components/unit.ts";
import { inputsOf, settledValue } from "./recorded.ts";

const waiver = (policy: string) => ({ policy, reason: "until ticket 1234 is done", until: "2027-03-31" });
const exec = ["/usr/bin/api"];
const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0Yz7Ykq1hW0pXvQ2rS3tU4vW5xY6zA7bC8dE9fG0h1";

async function registered(name: string, component: { definition: pulumi.Output<unknown> }) {
  await settledValue(component.definition);
  return inputsOf("systemd:index:Unit", name).waive;
}

test("each component hands its waivers to the units that it makes", async () => {
  const service = new Service("waived-api", { exec, waive: [waiver("sandbox-exposure")] });
  assert.deepEqual(await registered("waived-api.service", service), [waiver("sandbox-exposure")]);

  const socket = new SocketUnit("waived-api-http", { listenStream: "8000", waive: [waiver("socket-loopback")] });
  assert.deepEqual(await registered("waived-api-http.socket", socket), [waiver("socket-loopback")]);

  const check = new HealthCheck("waived-health", {
    unit: service,
    service: { Nice: 5 },
    waive: [waiver("non-root-user")],
  });
  assert.deepEqual(await registered("waived-health.service", check), [waiver("non-root-user")]);
  assert.deepEqual(await registered("waived-health.timer", check), [waiver("non-root-user")]);

  const unit = new Unit("waived-own.service", {
    text: "[Service]\nExecStart=/bin/true\n",
    waive: [waiver("no-install")],
  });
  assert.deepEqual(await registered("waived-own.service", unit), [waiver("no-install")]);
});

test("a timer's waivers are its own, and its service's are the service's", async () => {
  const timer = new Timer("waived-nightly", {
    onCalendar: "daily",
    waive: [waiver("timer-jitter")],
    service: { exec, waive: [waiver("resource-limits")] },
  });
  assert.deepEqual(await registered("waived-nightly.timer", timer), [waiver("timer-jitter")]);
  assert.deepEqual(await registered("waived-nightly.service", timer), [waiver("resource-limits")]);
});

test("a host has waivers of its own, and knows those of its units", async () => {
  const service = new Service("waived-web", { exec, waive: [waiver("sandbox-exposure")] });
  const host = new Host("waived-host", {
    connection: { host: "web1.example.org", hostKey },
    units: [service],
    waive: [waiver("host-key-pinned")],
  });
  await settledValue(host.receipt);
  assert.deepEqual(inputsOf("systemd:index:Host", "waived-host").waive, [waiver("host-key-pinned")]);
  const { units } = await settledValue(service.definition);
  assert.deepEqual(
    units.map(({ waive }) => waive),
    [[waiver("sandbox-exposure")]],
  );
});

test("without waivers nothing of them is registered", async () => {
  const service = new Service("unwaived", { exec });
  assert.equal(await registered("unwaived.service", service), undefined);
});

test("a waiver may come as an Output", async () => {
  const service = new Service("waived-late", { exec, waive: pulumi.output([waiver("sandbox-exposure")]) });
  assert.deepEqual(await registered("waived-late.service", service), [waiver("sandbox-exposure")]);
});

test("a date that YAML has read as a time is the date", async () => {
  for (const [index, time] of ["T00:00:00Z", " 00:00:00 +0000 UTC"].entries()) {
    const service = new Service(`waived-yaml${index}`, {
      exec,
      waive: [{ ...waiver("sandbox-exposure"), until: `2027-03-31${time}` }],
    });
    assert.deepEqual(await registered(`waived-yaml${index}.service`, service), [waiver("sandbox-exposure")]);
  }
});

const mistakes: [what: string, change: object, message: RegExp][] = [
  [
    "no reason",
    { reason: "later" },
    /waive\[0\]\.reason: is too short; say in at least 10 characters why this may be so/,
  ],
  [
    "no date",
    { until: "next year" },
    /waive\[0\]\.until: "next year" is not a date; write YYYY-MM-DD, such as 2027-03-31/,
  ],
  ["no id", { policy: "Sandbox" }, /waive\[0\]\.policy: "Sandbox" is no id of a lint or policy/],
  ["an unknown key", { rule: "x" }, /waive\[0\]: Unrecognized key: "rule"/],
];
for (const [what, change, message] of mistakes) {
  test(`a waiver with ${what} is refused`, () => {
    const args = { exec, waive: [{ ...waiver("sandbox-exposure"), ...change }] };
    assert.throws(() => new Service(`mistaken-${what.replaceAll(" ", "-")}`, args), message);
  });
}
