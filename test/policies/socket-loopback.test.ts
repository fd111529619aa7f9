import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { socketLoopback } from "../../policies/socket-loopback.ts";
import { serviceResource, unitResource, violations, withUnknown } from "./resource-args.ts";

const socket = (...lines: string[]) => unitResource("api.socket", ["[Socket]", ...lines, ""].join("\n"));
const wanted = "wanted 127.0.0.1, [::1], a path, or an address that the config names";

suite("socket-loopback", () => {
  for (const line of [
    "ListenStream=127.0.0.1:8000",
    "ListenStream=127.8.0.1:8000",
    "ListenStream=[::1]:8000",
    "ListenStream=[0:0:0:0:0:0:0:1]:8000",
    "ListenStream=/run/api.sock",
    "ListenStream=@api",
    "ListenStream=vsock::8000",
    "ListenFIFO=/run/api.fifo",
    "ListenNetlink=kobject-uevent 1",
    "ListenStream=8000\nListenStream=\nListenStream=127.0.0.1:8000",
  ]) {
    test(`passes ${JSON.stringify(line)}`, () => assert.deepEqual(violations(socketLoopback, socket(line)), []));
  }

  const all = "every machine that reaches the host can connect to it";
  for (const [line, why] of [
    ["ListenStream=8000", all],
    ["ListenDatagram=514", all],
    ["ListenSequentialPacket=0.0.0.0:8000", all],
    ["ListenStream=[::]:8000", all],
    ["ListenStream=10.0.0.5:8000", "every machine that reaches 10.0.0.5 can connect to it"],
    ["ListenStream=[2001:db8::1]:443", "every machine that reaches 2001:db8::1 can connect to it"],
    ["ListenStream=8000/tcp", all],
    ["ListenStream=x[::1]:8000", "every machine that reaches x[::1] can connect to it"],
    ["ListenStream=1127.0.0.1:8000", "every machine that reaches 1127.0.0.1 can connect to it"],
  ] as const) {
    test(`refuses ${line}`, () => {
      assert.deepEqual(violations(socketLoopback, socket(line)), [`api.socket: [Socket] ${line}, ${wanted}: ${why}`]);
    });
  }

  test("passes what the config names, as it is written", () => {
    const config = { addresses: ["443", "10.0.0.5:8000"] };
    const lines = ["ListenStream=443", "ListenStream=10.0.0.5:8000", "ListenStream=80"];
    assert.deepEqual(violations(socketLoopback, { ...socket(...lines), config }), [
      `api.socket: [Socket] ListenStream=80, ${wanted}: ${all}`,
    ]);
  });

  test("looks at sockets alone", () => {
    const resource = serviceResource({});
    resource.props.sections = { Socket: { ListenStream: "8000" } };
    assert.deepEqual(violations(socketLoopback, resource), []);
  });

  test("waits for an address that is not known", () => {
    const props = { sections: { Socket: withUnknown({}, "ListenStream") } };
    assert.deepEqual(violations(socketLoopback, { ...unitResource("api.socket", ""), props }), []);
  });
});
