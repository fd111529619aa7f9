import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { bootedHost, type SandboxHost } from "../../sandbox/host.ts";
import { keyPair } from "../activation/ssh/test-server.ts";
import { logSince, mark } from "./host-log.ts";
import { type Listing, listing, listingChanges } from "./listing.ts";
import { connectionOf, type TestStack, testStack } from "./stack.ts";

/** What a change of the way to a host costs: logins are counted by the host's own sshd. Nothing here depends on systemd's version. */
let host: SandboxHost;
let stack: TestStack;
let untouched: Listing;
let connection: Record<string, unknown>;

before(async () => {
  [host, stack] = await Promise.all([bootedHost({ release: "bookworm" }), testStack()]);
  // A login user whose sudo asks for a password, a second port, and what the transport needs besides.
  await host.output(`set -e
    useradd --create-home --shell /bin/bash ops
    echo 'ops:s3sam open' | chpasswd
    echo 'ops ALL=(ALL) ALL' > /etc/sudoers.d/ops
    install -d -m 700 -o ops -g ops ~ops/.ssh
    printf 'Port 22\nPort 2222\n' > /etc/ssh/sshd_config.d/ports.conf
    systemctl restart ssh.service`);
  untouched = await listing(host, folders);
  connection = connectionOf(host);
});
after(async () => {
  await host?.down();
  stack?.remove();
});

/** What this test itself changes, and the data that a destroy keeps. */
const folders = ["/etc/ssh", "/home/*/.ssh", "/home/ops/.ssh", "/var/lib/api"];

let output = "";

/** Deploys a service with this description; how often the host was logged in to. */
async function logins(description: string, secrets: Readonly<Record<string, string>> = {}): Promise<string> {
  const services = { api: { description, exec: ["/bin/sleep", "infinity"] } };
  await stack.configure({ hosts: { web1: { connection } }, services }, secrets);
  const since = await mark(host);
  const run = await stack.up();
  output = run.output;
  assert.equal(run.code, 0, output);
  const { sshd } = await logSince(host, since);
  const count = sshd.filter((line) => line.startsWith("Accepted ")).length;
  return `${count} ${count === 1 ? "login" : "logins"}`;
}

const newKey = async (user: string): Promise<string> => {
  const pair = keyPair();
  const file = join(stack.folder, `key-${Math.random()}`);
  writeFileSync(file, pair.private, { mode: 0o600 });
  await host.output(
    `echo '${pair.public}' > ~${user}/.ssh/authorized_keys; chown ${user}: ~${user}/.ssh/authorized_keys`,
  );
  return file;
};

test("transport: two logins for the first update, one of them for the host program; none for one with nothing to do", async () => {
  assert.equal(await logins("one"), "2 logins");
  assert.equal(await logins("one"), "0 logins");
});

test("transport: a rotated key, another port, user and password for sudo ask nothing of the same machine", async () => {
  connection = { ...connection, privateKeyFile: await newKey("deploy") };
  assert.equal(await logins("one"), "0 logins");
  assert.match(output, /command:remote:Command web1 updated .*\[diff: -create~connection\]/);
  connection = { ...connection, port: 2222 };
  assert.equal(await logins("one"), "0 logins");
  assert.equal(await logins("one"), "0 logins");
  assert.doesNotMatch(output, /command:remote:Command/);
  connection = { ...connection, user: "ops", privateKeyFile: await newKey("ops") };
  assert.equal(await logins("one", { "hosts.web1.connection.sudoPassword": "not yet right" }), "0 logins");
  assert.equal(await logins("one", { "hosts.web1.connection.sudoPassword": "s3sam open" }), "0 logins");
});

test("transport: the next change goes the new way, through sudo with its password", async () => {
  const since = await mark(host);
  assert.equal(await logins("two", { "hosts.web1.connection.sudoPassword": "s3sam open" }), "1 login");
  const { sshd } = await logSince(host, since);
  assert.ok(
    sshd.some((line) => line.startsWith("Accepted publickey for ops ")),
    sshd.join("\n"),
  );
  assert.match(await host.output("systemctl show -p Description api.service"), /^Description=two$/m);
  assert.doesNotMatch(await host.output("journalctl --no-pager --all; cat /proc/*/cmdline | tr '\\0' ' '"), /s3sam/);
});

test("transport: a wrong password for sudo is told, once, and never shown; the host stays as it was", async () => {
  const services = { api: { description: "three", exec: ["/bin/sleep", "infinity"] } };
  const secrets = { "hosts.web1.connection.sudoPassword": "s3sam shut" };
  await stack.configure({ hosts: { web1: { connection } }, services }, secrets);
  const since = await mark(host);
  const { code, output } = await stack.up();
  assert.notEqual(code, 0);
  assert.match(output, /sudo on this host does not accept the password that was given for ops \(sudoPassword\)$/m);
  assert.doesNotMatch(output, /s3sam/);
  assert.match(await host.output("systemctl show -p Description api.service"), /^Description=two$/m);
  const asked = await host.output(`journalctl --no-pager --output=cat --after-cursor='${since}' -t sudo`);
  assert.equal(asked.match(/1 incorrect password attempt/g)?.length, 1, asked);
});

test("transport: the machine's next host key may be pinned beforehand; then only it", async () => {
  const sudo = { "hosts.web1.connection.sudoPassword": "s3sam open" };
  const { hostKey: old, ...rest } = connection;
  const next = keyPair();
  connection = { ...rest, hostKeys: [old, next.public] };
  assert.equal(await logins("two", sudo), "0 logins");
  await host.writeFile("/etc/ssh/ssh_host_ed25519_key", next.private, 0o600);
  await host.output("rm -f /etc/ssh/ssh_host_ed25519_key.pub; systemctl restart ssh.service");
  connection = { ...rest, hostKey: next.public };
  // A machine with another key has nothing yet: the host program travels again.
  assert.equal(await logins("two", sudo), "2 logins");
  connection = { ...rest, hostKey: old };
  await stack.configure({ hosts: { web1: { connection } }, services: {} }, sudo);
  const { code, output } = await stack.up();
  assert.notEqual(code, 0);
  assert.match(output, /host key mismatch/);
  connection = { ...rest, hostKey: next.public };
});

test("transport: a host that has lost its program gets it again by an update, and by a destroy that runs the program", async () => {
  const sudo = { "hosts.web1.connection.sudoPassword": "s3sam open" };
  const lost = "rm -r /var/lib/pulumi-systemd-programs";
  await host.output(lost);
  assert.equal(await logins("three", sudo), "3 logins");
  assert.match(output, /web1: the host had lost pulumi-systemd's program; it was sent once more$/m);
  assert.match(await host.output("ls -A /home/ops /var/lib/pulumi-systemd-programs"), /\.program$/m);
  await host.output(lost);
  const { code, output: told } = await stack.destroy();
  assert.notEqual(code, 0);
  assert.match(
    told,
    /pulumi-systemd: its program is gone from this host, .*; pulumi up sends it again, and so does pulumi destroy --run-program$/m,
  );
  assert.match(await host.output("systemctl show -p Description api.service"), /^Description=three$/m);
});

test("transport: destroy goes the newest way, and leaves nothing", async () => {
  const sudo = { "hosts.web1.connection.sudoPassword": "s3sam open" };
  connection = { ...connection, privateKeyFile: await newKey("ops") };
  assert.equal(await logins("three", sudo), "0 logins");
  const since = await mark(host);
  const { code, output } = await stack.destroy("--run-program");
  assert.equal(code, 0, output);
  const { sshd } = await logSince(host, since);
  assert.equal(sshd.filter((line) => line.startsWith("Accepted ")).length, 3, "one that fails, one for the program");
  assert.deepEqual(listingChanges(untouched, await listing(host, folders)), []);
});
