import assert from "node:assert/strict";
import { test } from "node:test";
import { stackConfig } from "../../program/config.ts";
import { misplacedSecrets } from "../../program/secret-places.ts";

const file = (config: object) => JSON.stringify({ encryptionsalt: "v1:x", config });
const secure = "v1:AAAA";

test("a secret in its place is fine, whatever the key", () => {
  const text = file({
    "shop:services": {
      api: { exec: ["/bin/true"], secretEnvironment: { KEY: { secure } }, credentials: { key: { secure } } },
    },
    "shop:pythonServices": { app: { source: ".", credentialsBase64: { "store.p12": { secure } } } },
    "shop:hosts": { web1: { connection: { host: "a", privateKey: { secure }, proxy: { password: { secure } } } } },
    "aws:secretKey": { secure },
  });
  assert.deepEqual(misplacedSecrets(text, "shop"), []);
});

test("a secret elsewhere is named by its path, beside one in its place", () => {
  const text = file({
    "shop:services": {
      api: { secretEnvironment: { KEY: { secure } }, environment: { OTHER: { secure } }, exec: ["/bin/x", { secure }] },
    },
    "shop:units": { secure },
  });
  assert.deepEqual(misplacedSecrets(text, "shop"), [
    "shop:services.api.environment.OTHER",
    "shop:services.api.exec.1",
    "shop:units",
  ]);
});

test("an empty file and one without config hold none", () => {
  for (const text of ["", "encryptionsalt: v1:x\n", "config:\n"]) assert.deepEqual(misplacedSecrets(text, "shop"), []);
});

test("the program refuses it in one line, without its value", () => {
  const services = { api: { exec: ["/bin/true"], environment: { KEY: "hush-hush" }, secretEnvironment: { A: "b" } } };
  const text = file({ "shop:services": { api: { environment: { KEY: { secure } } } } });
  const all = { "shop:hosts": "{}", "shop:services": JSON.stringify(services) };
  assert.throws(
    () => stackConfig("shop", all, ["shop:services"], text),
    (error: Error) => {
      assert.match(
        error.message,
        /^the stack's config has a mistake:\n {2}shop:services\.api\.environment\.KEY: holds a secret/,
      );
      assert.ok(!error.message.includes("hush-hush"));
      return true;
    },
  );
});
