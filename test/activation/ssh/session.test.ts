import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import { after, before, test } from "node:test";
import type { SshConnection } from "../../../activation/ssh/connection.ts";
import { sshSessions } from "../../../activation/ssh/session.ts";
import type { SshError, SshProblem } from "../../../activation/ssh/ssh-error.ts";
import { keyPair, type TestServer, testServer } from "./test-server.ts";

const [ed25519, ecdsa, other] = [keyPair(), keyPair("ecdsa"), keyPair()];
const user = keyPair();
let server: TestServer;
let bastion: TestServer;
const sessions = sshSessions();

before(async () => {
  server = await testServer(
    [ecdsa, ed25519],
    (login) =>
      login.username === "deploy" &&
      (login.method === "password"
        ? login.password === "right"
        : login.method === "publickey" && `${login.key.algo} ${login.key.data.toString("base64")}` === user.public),
  );
  bastion = await testServer([ed25519], (login) => login.method === "password" && login.password === "jump");
});

after(async () => {
  await server.close();
  await bastion.close();
});

const target = (changed: Partial<SshConnection> = {}): SshConnection => ({
  host: "127.0.0.1",
  port: server.port,
  user: "deploy",
  privateKey: user.private,
  hostKeys: [ed25519.public],
  agentSocketPath: "",
  dialSec: 5,
  ...changed,
});

test("a command: its input, output and exit status", async () => {
  assert.deepEqual(await sessions.run("web1", target(), "echo", { stdin: "h\u00e9\n".repeat(50_000) }), {
    code: 0,
    stdout: "h\u00e9\n".repeat(50_000),
    stderr: "",
  });
  assert.deepEqual(await sessions.run("web1", target(), "status 3"), {
    code: 3,
    stdout: "",
    stderr: "said on standard error\n",
  });
});

test("output as it comes, until one has seen enough", async () => {
  const abort = new AbortController();
  const seen: string[] = [];
  const run = sessions.run("web1", target(), "echo", {
    stdin: "line\n",
    onOutput: (text) => {
      seen.push(text);
    },
    signal: abort.signal,
  });
  assert.equal((await run).stdout, "");
  assert.deepEqual(seen, ["line\n"]);
  const endless = sessions.run("web1", target(), "wait", { signal: abort.signal });
  setTimeout(() => abort.abort(), 50);
  await assert.rejects(endless, { name: "SshError", message: "web1: given up" });
});

test("a password logs in, and so does an encrypted key", async () => {
  const { privateKey: _none, ...byPassword } = target({ password: "right" });
  assert.equal((await sessions.run("web1", byPassword, "status 0")).code, 0);
  const encrypted = keyPair("ed25519", "open sesame");
  const both = { privateKey: encrypted.private, privateKeyPassword: "open sesame", password: "right" };
  assert.equal((await sessions.run("web1", target(both), "status 0")).code, 0);
});

test("the server shows a key of the pinned type, whichever it has; any of several pinned ones will do", async () => {
  for (const hostKeys of [[ecdsa.public], [ed25519.public], [other.public, ed25519.public], undefined]) {
    const { hostKeys: _pinned, ...rest } = target();
    const connection = hostKeys === undefined ? rest : { ...rest, hostKeys };
    assert.equal((await sessions.run("web1", connection, "status 0")).code, 0);
  }
});

test("hosts behind one bastion share one connection to it", async () => {
  const own = sshSessions();
  const through = target({
    bastion: { host: "127.0.0.1", port: bastion.port, user: "jump", password: "jump", hostKeys: [ed25519.public] },
  });
  const before = bastion.connections();
  const runs = await Promise.all(["web1", "web2", "web3"].map((title) => own.run(title, through, "status 0")));
  assert.deepEqual(
    runs.map(({ code }) => code),
    [0, 0, 0],
  );
  assert.equal(bastion.connections() - before, 1);
});

const failures: readonly [string, () => SshConnection, SshProblem, RegExp][] = [
  ["no server there", () => target({ port: 1 }), "refused", /^web1 \(deploy@127\.0\.0\.1:1\): refused the connection/],
  ["a name without address", () => target({ host: "web1.invalid" }), "name", /the name web1\.invalid has no address/],
  [
    "another host key",
    () => target({ hostKeys: [other.public] }),
    "host-key",
    /showed another host key than the pinned: it has ssh-ed25519 SHA256:\S+, pinned is SHA256:\S+\. Either/,
  ],
  [
    "no host key of the pinned type",
    () => target({ hostKeys: ["ecdsa-sha2-nistp521 AAAA"] }),
    "host-key",
    /has no host key of the pinned type \(ecdsa-sha2-nistp521\)/,
  ],
  [
    "a key that is not let in",
    () => target({ privateKey: other.private, password: "wrong" }),
    "login",
    /does not let deploy log in: tried private key, password$/,
  ],
  [
    "nothing to log in with",
    () => {
      const { privateKey: _none, ...rest } = target();
      return rest;
    },
    "login",
    /no private key, agent or password was given$/,
  ],
  ["no private key", () => target({ privateKey: "hush-hush" }), "private-key", /is not a private key in OpenSSH's/],
  [
    "an encrypted key without passphrase",
    () => target({ privateKey: keyPair("ed25519", "p").private }),
    "private-key",
    /is encrypted; give its passphrase in privateKeyPassword$/,
  ],
  [
    "an agent that is gone",
    () => target({ agentSocketPath: "/no/such/agent", privateKey: other.private }),
    "login",
    /tried private key, agent; the agent does not answer \(.+\)$/,
  ],
  [
    "a bastion that lets nobody in",
    () => target({ bastion: { host: "127.0.0.1", port: bastion.port, user: "jump", password: "wrong" } }),
    "login",
    /^bastion of web1 \(jump@127\.0\.0\.1:\d+\): does not let jump log in: tried password$/,
  ],
  [
    "a host that its bastion cannot reach",
    () => target({ port: 1, bastion: { host: "127.0.0.1", port: bastion.port, user: "jump", password: "jump" } }),
    "unreachable",
    /^web1 \(127\.0\.0\.1:1\): its bastion cannot connect to it/,
  ],
];

for (const [what, connection, problem, message] of failures) {
  test(`${what}: says so, and no secret`, async () => {
    const own = sshSessions();
    const failed = own.run("web1", connection(), "status 0");
    await assert.rejects(failed, (error: SshError) => {
      assert.equal(error.name, "SshError", error.stack);
      assert.match(error.message, message);
      assert.equal(error.problem, problem);
      assert.doesNotMatch(error.message, /hush-hush|wrong|PRIVATE KEY/);
      return true;
    });
  });
}

test("a server that says nothing, and a command that does not end, have their time", async () => {
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const port = (silent.address() as AddressInfo).port;
  await assert.rejects(sessions.run("web1", target({ port, dialSec: 1 }), "echo"), {
    problem: "timeout",
    message: /did not let in within 1 s/,
  });
  silent.close();
  await assert.rejects(sessions.run("web1", target(), "wait", { timeoutSec: 1 }), {
    problem: "timeout",
    message: "web1: the command had not ended after 1 s",
  });
});

test("a connection that is lost while the command runs is not a result", async () => {
  await assert.rejects(sessions.run("web1", target(), "drop"), {
    problem: "closed",
    message: "web1: the connection was lost while the command ran",
  });
});
