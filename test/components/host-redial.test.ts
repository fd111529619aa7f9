import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { mayPass, redialHandler } from "../../components/host-redial.ts";

const behind = (error: string) => `proxy: after 0 failed attempts: ${error}`;
const passing = [
  behind("ssh: rejected: connect failed (Connection refused)"),
  behind("ssh: rejected: connect failed (No route to host)"),
  behind("ssh: handshake failed: EOF"),
  behind("ssh: handshake failed: read tcp 192.0.2.1:50000->192.0.2.2:22: read: connection reset by peer"),
];
const lasting = [
  behind("ssh: rejected: connect failed (Connection timed out)"),
  behind("ssh: handshake failed: ssh: host key mismatch"),
  behind(
    "ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey], no supported methods remain",
  ),
  "proxy: after 10 failed attempts: dial tcp 192.0.2.1:22: connect: connection refused",
  'Process exited with status 1: running "...":\nconnection reset by peer',
];

test("only what passes by itself, and before the host got anything, is dialled again", () => {
  assert.deepEqual(passing.filter(mayPass), passing);
  assert.deepEqual(lasting.filter(mayPass), []);
});

test("a host behind a bastion is dialled again as often as it may fail, and not after another error", async () => {
  const again = redialHandler(pulumi.output(2));
  const failure = (...errors: string[]) => ({ urn: "", id: "", name: "", type: "", failedOperation: "update", errors });
  const [refused = "", ...others] = passing;
  assert.equal(await again(failure(refused)), true);
  assert.equal(await again(failure(refused, ...others.slice(0, 1))), true);
  assert.equal(await again(failure(refused, ...others.slice(0, 2))), false);
  assert.equal(await again(failure(...lasting.slice(0, 1), refused)), false);
});
