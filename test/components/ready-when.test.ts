import assert from "node:assert/strict";
import { test } from "node:test";
import { Service, type ServiceArgs, Unit } from "../../components/index.ts";
import { inputsOf, settledValue } from "./recorded.ts";

const exec = ["/usr/bin/files", "--port", "80"];

test("a program with probes beside it is of type notify, and its probes restart it", async () => {
  const service = new Service("asked", {
    exec,
    instanceNames: ["a", "b"],
    readyWhen: { http: { url: "http://127.0.0.1:8000/%i" }, tcp: { port: 8000, timeoutSec: "1s" } },
    watchdogSec: "10s",
  });
  const { files, units } = await settledValue(service.definition);
  const [program, first, second] = files;
  assert.equal(files.length, 3);
  assert.match(program?.path ?? "", /^\/usr\/local\/lib\/pulumi-systemd\/health\/.+\.py$/);
  assert.deepEqual(
    [first, second].map((file) => file?.path),
    ["/etc/pulumi-systemd/ready/asked@a.json", "/etc/pulumi-systemd/ready/asked@b.json"],
  );
  assert.deepEqual(JSON.parse(second?.content ?? ""), {
    probes: [
      {
        kind: "http",
        timeoutSec: 3,
        url: "http://127.0.0.1:8000/b",
        status: null,
        contains: null,
        certificateSec: null,
        caFile: null,
        unixSocket: null,
      },
      { kind: "tcp", timeoutSec: 1, host: "127.0.0.1", port: 8000 },
    ],
    everySec: 5,
  });
  assert.deepEqual(units[1]?.restartOnFiles, ["/etc/pulumi-systemd/ready/asked@b.json"]);
  const { text } = inputsOf(Unit.__pulumiType, "asked@b.service") as { text: string };
  for (const line of [
    "Type=notify",
    "NotifyAccess=all",
    "WatchdogSec=10s",
    `ExecStart=/usr/bin/python3 -I ${program?.path} beside /etc/pulumi-systemd/ready/asked@b.json ${exec.join(" ")}`,
  ]) {
    assert.ok(text.includes(`${line}\n`), text);
  }
});

for (const [what, args, message] of [
  [
    "no probe",
    { readyWhen: {} },
    /^wrong: readyWhen: has no probe; give at least one of http, tcp, unixSocket, command$/,
  ],
  [
    "another user",
    { readyWhen: { command: { exec: ["/bin/true"], user: "nobody" } } },
    /^wrong: readyWhen\.command\.user: cannot be another/,
  ],
  [
    "another type",
    { readyWhen: { tcp: { port: 1 } }, type: "exec" },
    /^wrong: type: is "exec" and readyWhen needs notify/,
  ],
  [
    "too short a watchdog",
    { readyWhen: { tcp: { port: 1 } }, watchdogSec: "5s" },
    /^wrong: watchdogSec: "5s" is less than twice the 3 s/,
  ],
] satisfies [string, Partial<ServiceArgs>, RegExp][]) {
  test(`${what} is refused`, () => {
    assert.throws(() => new Service("wrong", { exec, ...args }), { message });
  });
}
