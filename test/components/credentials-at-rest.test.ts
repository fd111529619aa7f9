import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { bundleFileSchema } from "../../activation/bundle.ts";
import { hostBundle } from "../../components/host-bundle.ts";
import { fittingDefinitions } from "../../components/host-systemd.ts";
import { CredentialsAtRest, Service, type ServiceArgs, Unit } from "../../components/index.ts";
import { credentialFilesOf } from "../../components/service-credentials.ts";
import { inputsOf, settledValue } from "./recorded.ts";

const encrypted = {
  exec: ["/bin/true"],
  credentials: { token: pulumi.secret("hush-hush") },
  credentialsBase64: { "store.p12": pulumi.secret("aHVzaAA=") },
  credentialsAtRest: CredentialsAtRest.Encrypted,
} satisfies ServiceArgs;
const store = "/etc/pulumi-systemd/credentials";

test("encrypted ones are handed over by LoadCredentialEncrypted=, and the host is told to seal each under its name", async () => {
  const { files, units } = await settledValue(new Service("vault", encrypted).definition);
  assert.deepEqual(
    files.map(({ path, seal, secret }) => ({ path, seal, secret })),
    ["token", "store.p12"].map((name) => ({ path: `${store}/vault/${name}`, seal: name, secret: true })),
  );
  const { text } = inputsOf(Unit.__pulumiType, "vault.service") as { text: string };
  assert.deepEqual(text.match(/^LoadCredential.*$/gm), [
    `LoadCredentialEncrypted=store.p12:${store}/vault/store.p12`,
    `LoadCredentialEncrypted=token:${store}/vault/token`,
  ]);
  assert.deepEqual(units[0]?.restartOnFiles, [`${store}/vault/store.p12`, `${store}/vault/token`]);
});

test("the bundle has the name only where something is to be sealed, so that kept bundles stay as they are", async () => {
  const bounds = { transactionSec: 10, waitSec: 10, confirmSec: 0 };
  const seals = async (name: string, args: ServiceArgs) =>
    hostBundle("a/b/c", [await settledValue(new Service(name, args).definition)], bounds).files.map((file) =>
      "seal" in file ? file.seal : "absent",
    );
  assert.deepEqual(await seals("sealed", encrypted), ["store.p12", "token"]);
  assert.deepEqual(await seals("plain", { ...encrypted, credentialsAtRest: "plain" }), ["absent", "absent"]);
  const file = { path: "/a", mode: "0600", content: "", encoding: "utf-8", secret: true };
  assert.equal(bundleFileSchema.safeParse({ ...file, seal: "a/b" }).success, false);
});

for (const older of ["refuse", "omit"] as const) {
  test(`a systemd without them is an error that names the argument, also with olderSystemd ${older}`, async () => {
    const definition = await settledValue(new Service(`old-${older}`, encrypted).definition);
    assert.throws(() => fittingDefinitions("web1", [definition], 249, older), {
      message: `old-${older}.service: \`credentialsAtRest: "encrypted"\` is LoadCredentialEncrypted=, which needs systemd 250, and web1 has 249; say \`credentialsAtRest: "plain"\` for it, or state a newer \`systemd\` where web1 has been upgraded`,
    });
    assert.deepEqual(fittingDefinitions("web1", [definition], 250, older).omitted, []);
  });
}

test("the directive of the same kind in `service` would take their place", () => {
  const service = { LoadCredentialEncrypted: ["a:/a"] };
  assert.throws(
    () => new Service("both", { ...encrypted, service }),
    /^Error: both: credentials: is given together with/,
  );
  // The other kind stands beside them.
  new Service("beside", { ...encrypted, service: { LoadCredential: ["a:/a"] } });
});

test("another word is refused where it is written", () => {
  assert.throws(
    () => new Service("word", { ...encrypted, credentialsAtRest: "tpm" as "plain" }),
    /^Error: word: credentialsAtRest: .*"plain"\|"encrypted"/,
  );
});

test("one that is longer than systemd reads encrypted is told by its name and size", () => {
  const known = (credentialsAtRest: string) => ({ credentials: { big: "x".repeat(900_000) }, credentialsAtRest });
  assert.throws(() => credentialFilesOf("bad", known("encrypted")), {
    message:
      'credentialsAtRest: big has 900000 bytes, and an encrypted credential may have 860000; ship larger data in a release, or say "plain"',
  });
  assert.equal(credentialFilesOf("good", known("plain")).length, 1);
});
