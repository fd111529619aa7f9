import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { healthCheckRequired } from "../../policies/health-check-required.ts";
import { type FakeResource, hostResources, unitResource, violations } from "./resource-args.ts";

const check = (name: string, unit: string): FakeResource => ({
  type: "systemd:index:HealthCheck",
  name,
  props: { settings: { checks: [{ unit }, { unit: null }] } },
  config: {},
  parents: [],
});
const refusal = (unit: string, sign: string) =>
  `${unit}: no HealthCheck watches it, and ${sign}, wanted one: a service that runs and answers nobody would go unnoticed`;

/** What is said of a host with these units; the checks are registered, and on the host where their service is. */
function found(units: Record<string, string>, checks: Record<string, string> = {}) {
  return violations(
    healthCheckRequired,
    ...Object.entries(checks).map(([name, unit]) => check(name, unit)),
    ...Object.entries(units).map(([name, text]) => unitResource(name, text)),
    ...hostResources("web1", units),
  );
}

suite("health-check-required", () => {
  const signs: [service: string, sign: string][] = [
    ["ExecStart=/usr/bin/api --port 8000", "its command has --port"],
    ["ExecStart=/usr/bin/gunicorn --bind=0.0.0.0:80 app", "its command has --bind"],
    ["ExecStart=/usr/bin/api -listen=:80", "its command has -listen"],
    ["ExecStart=/usr/bin/python3 -m http.server", "its command is http.server"],
    ["ExecStart=/usr/bin/api\nSocketBindAllow=tcp:80", "SocketBindAllow= lets it bind"],
    ['ExecStart=/usr/bin/api\nEnvironment="A=1" HTTP_PORT=80', "its environment has a port"],
    ["ExecStart=/usr/bin/api\nEnvironment=PORT=80", "its environment has a port"],
  ];
  for (const [lines, sign] of signs) {
    test(`asks for a check where ${sign}`, () => {
      const text = `[Service]\n${lines}\n`;
      assert.deepEqual(found({ "api.service": text }), [refusal("api.service", sign)]);
      const both = { "api.service": text, "watch.timer": "[Timer]\nOnBootSec=1min\n" };
      assert.deepEqual(found(both, { watch: "api.service" }), []);
    });
  }

  test("asks for it where a socket is for the service, by name or by its own", () => {
    const service = "[Service]\nExecStart=/usr/bin/api\n";
    assert.deepEqual(found({ "api.service": service, "api.socket": "[Socket]\nListenStream=80\n" }), [
      refusal("api.service", "api.socket is its socket"),
    ]);
    assert.deepEqual(found({ "api.service": service, "http.socket": "[Socket]\nService=api.service\n" }), [
      refusal("api.service", "http.socket is its socket"),
    ]);
  });

  test("asks for none where a socket is for another service", () => {
    const service = "[Service]\nExecStart=/usr/bin/api\n";
    assert.deepEqual(found({ "api.service": service, "http.socket": "[Socket]\nListenStream=80\n" }), []);
    assert.deepEqual(found({ "api.service": service, "api.target": "[Unit]\nDescription=all of it\n" }), []);
    const other = "[Socket]\nListenStream=80\nService=http.service\n";
    assert.deepEqual(found({ "api.service": service, "api.socket": other }), []);
  });

  test("asks for none of a unit that is no service", () => {
    assert.deepEqual(found({ "api.target": "[Service]\nExecStart=/usr/bin/api --port 80\n" }), []);
  });

  test("is not content with what only looks like a check", () => {
    const api = { "api.service": "[Service]\nExecStart=/usr/bin/api --port 80\n", "watch.timer": "[Timer]\n" };
    const other = { ...check("watch", "api.service"), type: "other:index:HealthCheck" };
    const all = [...Object.entries(api).map(([name, text]) => unitResource(name, text)), ...hostResources("w", api)];
    assert.equal(violations(healthCheckRequired, other, ...all).length, 1);
  });

  test("is not content with a check of another unit, or one that the host does not get", () => {
    const api = { "api.service": "[Service]\nExecStart=/usr/bin/api --port 80\n" };
    const watch = { "watch.timer": "[Timer]\nOnBootSec=1min\n" };
    assert.equal(found({ ...api, ...watch }, { watch: "other.service" }).length, 1);
    assert.equal(found(api, { watch: "api.service" }).length, 1);
  });

  for (const lines of [
    "ExecStart=/usr/bin/job --report",
    "ExecStart=/usr/bin/job --portable",
    "ExecStart=/usr/bin/job no--port",
    "ExecStart=/usr/bin/job\nEnvironment=SUPPORT=1",
    'ExecStart="',
  ]) {
    test(`asks for none: ${JSON.stringify(lines)}`, () => {
      assert.deepEqual(found({ "job.service": `[Service]\n${lines}\n` }), []);
    });
  }
});
