import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { acceptedHostKeys } from "../../../activation/ssh/host-key.ts";
import { keyPair } from "./test-server.ts";

const [one, two] = [keyPair().public, keyPair().public];
const ecdsa = keyPair("ecdsa").public;
const rsa = `ssh-rsa ${Buffer.from("\0\0\0\x07ssh-rsa\0\0\0\x03key", "latin1").toString("base64")}`;
const hashed = (name: string) => {
  const salt = Buffer.from("a salt of twenty byt");
  return `|1|${salt.toString("base64")}|${createHmac("sha1", salt).update(name).digest("base64")}`;
};

const accepted: readonly [string, string, readonly string[], string?, number?][] = [
  ["a public key", one, [one]],
  ["with a comment", `${one} root@web1`, [one]],
  ["two of them, the better type first", `${ecdsa}\n${one}\n`, [one, ecdsa]],
  ["a line of known_hosts", `web1,192.0.2.7 ${one}`, [one]],
  ["of many hosts, the one", `# mine\nweb2 ${two}\nweb1 ${one}`, [one]],
  ["a port", `[web1]:2222 ${one}\nweb1 ${two}`, [one], "web1", 2222],
  ["a pattern", `*.example.org,!db.example.org ${one}`, [one], "web1.example.org"],
  ["a hashed name", `${hashed("web2")} ${two}\n${hashed("web1")} ${one}`, [one]],
  ["a hashed name with port", `${hashed("[web1]:2222")} ${one}`, [one], "web1", 2222],
  ["a revoked key beside a good one", `web1 ${one}\nweb1 ${two}\n@revoked * ${two}`, [one]],
  [
    "a file with unreadable lines of other hosts",
    `old 1024 35 123456\nweb2 ${rsa.slice(0, -4)}\n@revoked web2 ssh-ed25519 A\nweb1 ${one}`,
    [one],
  ],
  ["what ssh-keyscan prints", `web1 ${rsa}\nweb1 ${ecdsa}\nweb1 ${one}`, [one, ecdsa]],
];

for (const [what, text, keys, host = "web1", port = 22] of accepted) {
  test(`host keys from ${what}`, () => assert.deepEqual(acceptedHostKeys(text, host, port), keys));
}

const refused: readonly [string, string, RegExp][] = [
  ["nothing", "", /^holds no host key to check web1 by; give/],
  ["another host's line", `web2 ${one}`, /no line names web1; give/],
  ["an excluded name", `*,!web1 ${one}`, /no line names web1/],
  ["only a revoked key", `${one}\n@revoked * ${one}`, /every key is revoked/],
  ["a certificate authority", `@cert-authority * ${one}`, /authority of host certificates cannot be checked/],
  ["an RSA key", rsa, /a key of type ssh-rsa cannot be checked here; give the host's ed25519/],
  ["half a key", one.slice(0, -9), /^is not a public host key; write/],
  ["a fingerprint", "SHA256:abcdef", /^is not a public host key; write/],
  ["a second line that is none", `${one}\nhush-hush and more`, /^is not a public host key in line 2; write/],
  ["an unreadable line of its own", `web2 ${one}\nweb1 ssh-ed25519 A`, /^is not a public host key in line 2; write/],
  ["a key of another type than it says", `ssh-ed25519 ${ecdsa.split(" ")[1]}`, /^is not a public host key/],
];

for (const [what, text, message] of refused) {
  test(`no host key from ${what}`, () => {
    assert.throws(() => acceptedHostKeys(text, "web1", 22), { name: "HostKeyError", message });
  });
}
