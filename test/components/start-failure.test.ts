import assert from "node:assert/strict";
import { test } from "node:test";
import { type ServicePlain, serviceSchema } from "../../components/service-args.ts";
import { serviceSections } from "../../components/service-sections.ts";
import { StartFailureMode } from "../../components/start-failure.ts";

const modeOf = (args: Partial<ServicePlain>) =>
  serviceSections("orders", serviceSchema.parse({ exec: ["/usr/bin/orders"], ...args })).Service
    ?.TimeoutStartFailureMode;
const http = { url: "http://127.0.0.1:8000/" };

const killed: readonly [string, Partial<ServicePlain>][] = [
  ["that says READY=1", { type: "notify" }],
  ["with a watchdog", { watchdogSec: "30s" }],
  ["of a type by its directive alone", { service: { Type: "notify-reload" } }],
  ["that takes a name on the bus", { type: "dbus", service: { BusName: "org.example.Orders" } }],
  ["that is asked over HTTP", { readyWhen: { http } }],
  ["that is asked at a port", { readyWhen: { tcp: { port: 8000 } } }],
  ["that is asked at a socket", { readyWhen: { unixSocket: { path: "/run/orders.sock" } } }],
  ["that is asked over HTTP and by a command", { readyWhen: { http, command: { exec: ["/usr/bin/ask"] } } }],
  ["that takes SIGTERM for its main process alone", { type: "notify", service: { KillMode: "mixed" } }],
];

for (const [which, args] of killed) {
  test(`a start that takes too long is killed: a service ${which}`, () => assert.equal(modeOf(args), "kill"));
}

const ended: readonly [string, Partial<ServicePlain>][] = [
  ["is up once it is executed", { type: "exec" }],
  ["is up once it is forked", { type: "simple" }],
  ["works in its start", { type: "oneshot" }],
  ["may be at work when its first process is not done", { type: "forking" }],
  ["is of such a type by its directive alone", { type: "notify", service: { Type: "forking" } }],
  ["may work long before a command's answer", { readyWhen: { command: { exec: ["/usr/bin/ask"] } } }],
  ["has a command before", { type: "notify", service: { ExecStartPre: ["/usr/bin/migrate"] } }],
  ["has a condition", { type: "notify", service: { ExecCondition: "/usr/bin/ask" } }],
  ["has a command after", { type: "notify", service: { ExecStartPost: ["/usr/bin/warm"] } }],
  ["would leave its children", { type: "notify", service: { KillMode: "process" } }],
  ["may not be killed", { type: "notify", service: { SendSIGKILL: false } }],
];

for (const [why, args] of ended) {
  test(`a start that takes too long is ended by systemd's own default: a service that ${why}`, () =>
    assert.equal(modeOf(args), undefined));
}

test("what the person says wins, by the argument or by the directive", () => {
  for (const mode of Object.values(StartFailureMode)) {
    assert.equal(modeOf({ type: "notify", timeoutStartFailureMode: mode }), mode);
    assert.equal(modeOf({ type: "exec", timeoutStartFailureMode: mode }), mode);
    assert.equal(modeOf({ type: "notify", service: { TimeoutStartFailureMode: mode } }), mode);
  }
});

test("another value is refused", () => {
  const { error } = serviceSchema.safeParse({ exec: ["/usr/bin/orders"], timeoutStartFailureMode: "stop" });
  assert.deepEqual(
    error?.issues.map(({ path, message }) => ({ path, message })),
    [{ path: ["timeoutStartFailureMode"], message: 'Invalid option: expected one of "terminate"|"abort"|"kill"' }],
  );
});
