import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { PythonService, Service, type ServiceArgs, Unit } from "../../components/index.ts";
import { credentialFilesOf } from "../../components/service-credentials.ts";
import { inputsOf, settledValue } from "./recorded.ts";

const exec = ["/bin/true"];
const inputs = (name: string) => inputsOf(Unit.__pulumiType, `${name}.service`) as { text: string };

test("each credential is a secret file of its own, and a line of the unit that names it", async () => {
  const service = new PythonService("vault", {
    directory: "/srv/api",
    exec: ["python", "-m", "api"],
    credentials: { token: pulumi.secret("hush-hush"), "db.password": "hush-db" },
    credentialsBase64: { "store.p12": pulumi.secret("aHVzaAA=") },
  });
  const { files, units } = await settledValue(service.definition);
  const file = { mode: "0600", secret: true };
  const paths = ["db.password", "store.p12", "token"].map((name) => `/etc/pulumi-systemd/credentials/vault/${name}`);
  assert.deepEqual(files, [
    { ...file, path: paths[2], content: "hush-hush" },
    { ...file, path: paths[0], content: "hush-db" },
    { ...file, path: paths[1], content: "aHVzaAA=", encoding: "base64" },
  ]);
  assert.deepEqual(units[0]?.restartOnFiles, paths);
  assert.deepEqual(inputs("vault").text.match(/^LoadCredential=.*$/gm), [
    `LoadCredential=db.password:${paths[0]}`,
    `LoadCredential=store.p12:${paths[1]}`,
    `LoadCredential=token:${paths[2]}`,
  ]);
  assert.ok(!JSON.stringify([inputs("vault"), inputsOf(PythonService.__pulumiType, "vault")]).includes("hush"));
});

test("credentials that are secret as a whole have names that are none", async () => {
  const credentials = pulumi.secret({ token: "hush-hush" });
  const service = new Service("whole", { exec, credentials });
  const { files } = await settledValue(service.definition);
  assert.deepEqual(
    files.map(({ content }) => content),
    ["hush-hush"],
  );
  assert.match(inputs("whole").text, /^LoadCredential=token:\/etc\/pulumi-systemd\/credentials\/whole\/token$/m);
});

test("what stands for a secret in a review is a credential too", async () => {
  const service = new Service("reviewed", {
    exec,
    credentialsBase64: { a: "[secret 0f1e2d3c4b5a]", b: pulumi.secret("[secret]") },
  });
  assert.equal((await settledValue(service.definition)).files.length, 2);
});

for (const [what, args, message] of [
  [
    "a name with a slash",
    { credentials: { "a/b": "hush" } },
    /^wrong: credentials\["a\/b"\]: "a\/b" is no name of a credential; write/,
  ],
  [
    "LoadCredential besides",
    { credentials: { a: "hush" }, service: { LoadCredential: ["b:/b"] } },
    /^wrong: credentials: is given together with service\.LoadCredential/,
  ],
] satisfies [string, Partial<ServiceArgs>, RegExp][]) {
  test(`${what} is refused where it is written`, () => {
    assert.throws(
      () => new Service("wrong", { exec, ...args }),
      (error: Error) => {
        assert.match(error.message, message);
        return !error.message.includes("hush");
      },
    );
  });
}

for (const [what, args, message] of [
  ["no base64", { credentialsBase64: { a: "hush hush" } }, /^credentialsBase64\.a: is not base64/],
  [
    "one name twice",
    { credentials: { a: "hush" }, credentialsBase64: { a: "aHVzaAA=" } },
    /^credentialsBase64\.a: is given in/,
  ],
  [
    "more than systemd passes on",
    { credentials: { a: "hush".repeat(300_000) } },
    /^credentials: have 1200000 bytes together/,
  ],
] as const) {
  test(`${what}: told by the path, without the value`, () => {
    assert.throws(
      () => credentialFilesOf("bad", args),
      (error: Error) => {
        assert.match(error.message, message);
        return !/hush|aHVz/.test(error.message);
      },
    );
  });
}
