import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { healthCheckRequired } from "../../policies/health-check-required.ts";
import { sentBundle, typeAndName } from "../../policies/sent-units.ts";
import { hostResources, unitResource, violations, withUnknown } from "./resource-args.ts";

suite("what a host is sent", () => {
  const bundle = { units: [], files: [] };
  const json = JSON.stringify(bundle);

  test("stands behind the program and its length", () => {
    assert.deepEqual(sentBundle(`5\nhello${json}`), bundle);
    assert.deepEqual(sentBundle(`11\nhello\nhello{"units":[],\n"files":[]}`), bundle);
    assert.deepEqual(sentBundle(`0\nsudo open sesame\n${json}`), bundle);
  });

  test("is nothing in any other form", () => {
    for (const stdin of ["", json, `\n${json}`, `1.5\nx${json}`, `x\n${json}`, `5\nhello`, '0\n{"units":[]}', "0\n5"]) {
      assert.equal(sentBundle(stdin), undefined, stdin);
    }
  });

  test("is where it is not known what was registered last under each name", () => {
    const first = unitResource("api.service", "[Service]\nExecStart=/usr/bin/api --port 80\n");
    const second = { ...unitResource("api.service", "[Service]\nExecStart=/usr/bin/api\n"), parents: ["a:b:C"] };
    const [host, command] = hostResources("web1", { "api.service": "" });
    const late = { ...command, props: withUnknown(command.props, "stdin") };
    assert.deepEqual(violations(healthCheckRequired, first, second, host, late), []);
    assert.equal(violations(healthCheckRequired, second, first, host, late).length, 1);
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
