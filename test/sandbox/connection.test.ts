import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { sandboxConnection } from "../../sandbox/connection.ts";

const usual = process.env.XDG_CACHE_HOME;
let cache: string;

before(() => {
  cache = mkdtempSync(join(tmpdir(), "connection-test-"));
  process.env.XDG_CACHE_HOME = cache;
});
after(() => {
  if (usual === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = usual;
  rmSync(cache, { recursive: true });
});

function written(name: string, content: unknown): string {
  const folder = join(cache, "pulumi-systemd", "hosts", name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "connection.json"), JSON.stringify(content));
  return join(folder, "connection.json");
}

test("the connection of a host that is up", () => {
  const connection = {
    host: "198.19.0.2",
    port: 22,
    user: "deploy",
    privateKeyFile: "/k",
    hostKey: "ssh-ed25519 AAAA",
  };
  written("web1", { ...connection, more: "is ignored" });
  assert.deepEqual(sandboxConnection("web1"), connection);
});

test("a host that is not up names the command", () => {
  assert.throws(() => sandboxConnection("web2"), {
    message: 'sandbox host "web2" is not up: run `npm run host -- up web2`',
  });
});

test("a file that holds something else is named", () => {
  const file = written("web3", { host: "198.19.0.2", port: "22" });
  assert.throws(() => sandboxConnection("web3"), {
    message: `${file} does not hold a connection: take the host down and up again`,
  });
});
