import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { bootedHost, type SandboxHost } from "../../sandbox/host.ts";
import { keyPair } from "../activation/ssh/test-server.ts";
import { logSince, mark } from "./host-log.ts";
import { connectionOf, type TestStack, testStack } from "./stack.ts";

/**
 * Ways to log in, and how each fails behind a bastion, which is the host itself: from there it is at 127.0.0.1. Its sshd
 * shuts out for a while who failed to log in some times (OpenSSH 9.8).
 */
let host: SandboxHost;
let stack: TestStack;
let agent: ChildProcess | undefined;

before(async () => {
  [host, stack] = await Promise.all([bootedHost({ release: "trixie" }), testStack()]);
  await host.output(`set -e
    echo 'deploy:open sesame' | chpasswd
    echo 'PasswordAuthentication yes' > /etc/ssh/sshd_config.d/00-password.conf
    systemctl restart ssh.service`);
});
after(async () => {
  agent?.kill();
  await host?.down();
  stack?.remove();
});

const hashed = (name: string, key: string) => {
  const salt = Buffer.from("a salt of twenty byt");
  return `|1|${salt.toString("base64")}|${createHmac("sha1", salt).update(name).digest("base64")} ${key}`;
};
const proxy = (changed: object = {}) => {
  const { privateKeyFile, ...rest } = connectionOf(host);
  return { ...rest, privateKey: readFileSync(privateKeyFile, "utf8"), ...changed };
};
const behind = () => ({ ...connectionOf(host), host: "127.0.0.1", proxy: proxy() });

/** Deploys over a connection. What it costs the host, or what the command says. */
async function deployed(description: string, connection: object): Promise<string> {
  await stack.configure({
    hosts: { web1: { connection } },
    services: { api: { description, exec: ["/bin/sleep", "infinity"] } },
  });
  const since = await mark(host);
  const run = await stack.up();
  assert.doesNotMatch(run.output, /open sesame|unhandled exception/);
  if (run.code === 0) {
    const { sshd } = await logSince(host, since);
    return sshd.filter((line) => line.startsWith("Accepted ")).join("\n");
  }
  const [, told = run.output] =
    /^ {2}command:remote:(?:Command \(web1\)|CopyToRemote \(web1:program\)):\n(?: {4}warning: .*\n)* {4}error: (.*)\n/m.exec(
      run.output,
    ) ?? [];
  return told;
}

test("a host behind a bastion, both known by hashed lines of known_hosts", async () => {
  const both = {
    ...behind(),
    hostKey: hashed("127.0.0.1", host.hostKey),
    proxy: proxy({ hostKey: hashed(host.address, host.hostKey) }),
  };
  // The host program travels first.
  const [, , atBastion, atHost, ...others] = (await deployed("one", both)).split("\n");
  assert.match(atBastion ?? "", /^Accepted publickey for deploy from (?!127)/);
  assert.match(atHost ?? "", /^Accepted publickey for deploy from 127\.0\.0\.1 /);
  assert.deepEqual(others, []);
});

test("a key in an agent", async () => {
  const { privateKeyFile, ...rest } = connectionOf(host);
  const socket = join(stack.folder, "agent");
  agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
  for (let tries = 0; !existsSync(socket) && tries < 100; tries += 1) await sleep(50);
  const added = spawnSync("ssh-add", ["-q", privateKeyFile], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
  assert.equal(added.status, 0, String(added.stderr));
  assert.match(await deployed("two", { ...rest, agentSocketPath: socket }), /^Accepted publickey for deploy .*$/);
});

test("a password", async () => {
  const { privateKeyFile: _none, ...rest } = connectionOf(host);
  assert.match(await deployed("three", { ...rest, password: "open sesame" }), /^Accepted password for deploy .*$/);
});

const failures: readonly [what: string, connection: () => object, message: RegExp][] = [
  [
    "another host key",
    () => ({ hostKey: keyPair().public }),
    /^proxy: after 0 failed attempts: ssh: handshake failed: ssh: host key mismatch$/,
  ],
  [
    "a key that does not let in",
    () => ({ privateKey: keyPair().private, privateKeyFile: undefined }),
    /^proxy: after 0 failed attempts: ssh: handshake failed: ssh: unable to authenticate, attempted methods \[none publickey\], no supported methods remain$/,
  ],
  [
    "a port where nobody listens",
    () => ({ port: 9, dialErrorLimit: 2 }),
    /^proxy: after 0 failed attempts: ssh: rejected: connect failed \(Connection refused\)$/,
  ],
  [
    "a bastion on whose port nobody listens",
    () => ({ proxy: proxy({ port: 9 }), dialErrorLimit: 2 }),
    /^proxy: after 2 failed attempts: dial tcp [\d.]+:9: connect: connection refused$/,
  ],
  [
    "a bastion that does not let in",
    () => ({ proxy: proxy({ privateKey: keyPair().private }), dialErrorLimit: 1 }),
    /^proxy: after 1 failed attempts: ssh: handshake failed: ssh: unable to authenticate, attempted methods \[none publickey\], no supported methods remain$/,
  ],
];

for (const [what, changed, message] of failures) {
  test(`behind a bastion: ${what}: told at once, and what it is`, async () => {
    const begin = Date.now();
    const told = await deployed("four", { ...behind(), ...changed() });
    assert.match(told, message);
    assert.ok(Date.now() - begin < 90_000, `${Date.now() - begin} ms`);
    assert.match(await host.output("systemctl show -p Description api.service"), /^Description=three$/m);
  });
}

test("destroy goes the way of the last update that succeeded, also where a later one failed", async () => {
  const since = await mark(host);
  const { code, output } = await stack.destroy();
  assert.equal(code, 0, output);
  const { sshd } = await logSince(host, since);
  assert.equal(sshd.filter((line) => line.startsWith("Accepted password for deploy ")).length, 1, sshd.join("\n"));
});
