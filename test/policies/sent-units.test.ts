import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { packedText } from "../../activation/packed-text.ts";
import { healthCheckRequired } from "../../policies/health-check-required.ts";
import { sentBundle, typeAndName } from "../../policies/sent-units.ts";
import { hostResources, unitResource, violations, withUnknown } from "./resource-args.ts";

suite("what a host is sent", () => {
  const bundle = { units: [], files: [] };
  const program = `${"0a".repeat(32)} .pulumi-systemd-x.program`;
  const packed = packedText(JSON.stringify(bundle));

  test("stands packed behind the program's digest and name, and a password for sudo", () => {
    assert.deepEqual(sentBundle(`${program}\n${packed}`), bundle);
    assert.deepEqual(sentBundle(`${program}\nsudo ${packed}\n${packed}`), bundle);
    assert.deepEqual(sentBundle(`${program}\nsudo \n${packed}`), bundle);
  });

  test("is nothing in any other form", () => {
    const others = [
      "",
      packed,
      `\n${packed}`,
      `5\nhello${JSON.stringify(bundle)}`,
      `${program}\n${JSON.stringify(bundle)}`,
      `${program}\n`,
      `${program}\n${packed}\n`,
      `${program}\n${packed.slice(0, -8)}`,
      `${program}\nsu ${packed}\n${packed}`,
      `${program} x\n${packed}`,
      `x${program}\n${packed}`,
      `${program.replace("a", "g")}\n${packed}`,
      `${program}\n${packedText("5")}`,
      `${program}\n${packedText('{"units":[]}')}`,
      `${program}\n${packedText('{"files":[]}')}`,
    ];
    for (const stdin of others) assert.equal(sentBundle(stdin), undefined, stdin);
  });

  test("is where it is not known what was registered last under each name", () => {
    const first = unitResource("api.service", "[Service]\nExecStart=/usr/bin/api --port 80\n");
    const second = { ...unitResource("api.service", "[Service]\nExecStart=/usr/bin/api\n"), parents: ["a:b:C"] };
    const [host, command] = hostResources("web1", { "api.service": "" });
    const late = { ...command, props: withUnknown(command.props, "stdin") };
    assert.deepEqual(violations(healthCheckRequired, first, second, host, late), []);
    assert.equal(violations(healthCheckRequired, second, first, host, late).length, 1);
    assert.deepEqual(violations(healthCheckRequired, first, late), [], "a host that was not registered");
  });

  test("has the waivers that were registered last", (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.parse("2027-03-31T20:00:00Z") });
    const text = "[Service]\nExecStart=/usr/bin/api --port 80\n";
    const plain = unitResource("api.service", text);
    const waive = [{ policy: "health-check-required", reason: "until ticket 12", until: "2027-04-01" }];
    const waived = unitResource("api.service", text, { waive });
    const host = hostResources("web1", { "api.service": text });
    const isWaived = (...units: (typeof plain)[]) =>
      violations(healthCheckRequired, ...units, ...host).map((message) => message.startsWith("[advisory] waived"));
    assert.deepEqual(isWaived(plain, waived), [true]);
    assert.deepEqual(isWaived(waived, plain), [false]);
  });
});

test("a URN has the type and the name of its resource, which may hold the separator", () => {
  assert.deepEqual(typeAndName("urn:pulumi:dev::shop::a:b:C$d:e:F$systemd:index:Host::web::1"), {
    type: "systemd:index:Host",
    name: "web::1",
  });
  assert.deepEqual(typeAndName("urn:pulumi:dev::shop::a:b:C::web1"), { type: "a:b:C", name: "web1" });
  assert.deepEqual(typeAndName(""), { type: "", name: "" });
});
