import assert from "node:assert/strict";
import { test } from "node:test";
import { hostConnectionSchema } from "../../components/host-connection.ts";

const problem = (host: string) => hostConnectionSchema.safeParse({ host }).error?.issues[0]?.message;

test("an address is a name or an IP address, or the mark of a secret one", () => {
  for (const host of ["web1", "web1.example.org", "192.0.2.1", "2001:db8::1", "::1", "fe80::1%eth0", "[secret]"]) {
    assert.equal(problem(host), undefined, host);
  }
});

for (const [host, message] of [
  ["", "is empty; give the host's address"],
  ["web1 ", '"web1 " holds a blank; give the address alone'],
  ["root@web1", "holds a login user; give the address alone, and the user as `user`"],
  [
    "[2001:db8::1]",
    '"[2001:db8::1]" holds brackets; give an IPv6 address without them, such as 2001:db8::1, and a port as `port`',
  ],
  ["web1:2222", '"web1:2222" holds a port; give the address alone, and the port as `port`'],
] as const) {
  test(`${JSON.stringify(host)} is no address, also of a bastion`, () => {
    assert.equal(problem(host), message);
    const { error } = hostConnectionSchema.safeParse({ host: "web1", proxy: { host } });
    assert.deepEqual([error?.issues[0]?.path, error?.issues[0]?.message], [["proxy", "host"], message]);
  });
}
