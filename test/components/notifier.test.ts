import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { before, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import type { Definition } from "../../components/definition.ts";
import { HealthCheck } from "../../components/health-check.ts";
import { Notifier, type NotifierArgs, notifierSchema } from "../../components/notifier.ts";
import { parseUnitFile, unitModel } from "../../systemd/unit-file.ts";

before(async () => {
  await pulumi.runtime.setMocks({
    newResource: ({ name, inputs }) => ({ id: name, state: inputs }),
    call: ({ inputs }) => inputs,
  });
});

type SameKeys<A, B> = [keyof A] extends [keyof B] ? ([keyof B] extends [keyof A] ? true : false) : false;
const schemaKnowsEachArgument: SameKeys<Required<NotifierArgs>, typeof notifierSchema.shape> = true;

function known<T>(output: pulumi.Output<T>): Promise<T> {
  const { promise } = output as unknown as { promise: () => Promise<T> };
  return promise.call(output);
}

const mail = { host: "mail.example.org", from: "web@example.org", to: ["ops@example.org"] };

test("a notifier sends by one unit, tells failures by a template, and keeps its secrets in one file", async () => {
  assert.ok(schemaKnowsEachArgument);
  const ops = new Notifier("ops", {
    mail: { ...mail, user: "web", password: pulumi.secret("s3cret-password") },
    webhooks: {
      chat: { url: "https://hooks.example.org/s3cret-token", shape: "slack" },
      runs: { url: "https://hc.example.org/s3cret-id", shape: "ping" },
      sms: { url: "https://sms.example.org/", template: "{{short}}", headers: { Authorization: "Bearer s3cret" } },
    },
    command: ["/usr/local/bin/tell"],
  });
  assert.deepEqual([ops.unitName, ops.onFailure], ["ops.service", "ops@%n.service"]);
  assert.equal(await pulumi.isSecret(ops.definition), true);
  const definition: Definition = await known(ops.definition);
  assert.deepEqual(
    definition.units.map(({ name, activation }) => [name, activation]),
    [
      ["ops.service", "on-demand"],
      ["ops@.service", "on-demand"],
    ],
  );
  assert.ok(!definition.units.some(({ text }) => text.includes("s3cret")));
  const [program, settings] = definition.files;
  assert.equal(program?.path, "/usr/local/lib/pulumi-systemd/health/project-stack.py");
  assert.deepEqual(
    [settings?.path, settings?.mode, settings?.secret],
    ["/etc/pulumi-systemd/notify/ops.json", "0600", true],
  );
  const sending = unitModel(parseUnitFile(definition.units[0]?.text ?? "")).Service;
  assert.equal(
    sending?.ExecStart,
    "/usr/bin/python3 -I /usr/local/lib/pulumi-systemd/health/project-stack.py deliver ops",
  );
  assert.equal(sending?.LoadCredential, "ops.json:/etc/pulumi-systemd/notify/ops.json");
  assert.deepEqual(sending?.InaccessiblePaths, ["-/run/systemd/private", "-/run/dbus"]);
  const failing = unitModel(parseUnitFile(definition.units[1]?.text ?? "")).Service;
  assert.match(String(failing?.ExecStart), / failed ops %i$/);

  const { channels } = JSON.parse(settings?.content ?? "{}");
  const types = channels.map(({ contentType }: { contentType?: string }) => contentType);
  assert.deepEqual(types, [undefined, "application/json", "text/plain; charset=utf-8", "application/json", undefined]);

  const python = spawnSync(
    "python3",
    [
      "-B",
      "-c",
      "import sys; from pulumi_systemd_health.notifier_settings import notifier_of; print([each.name for each in notifier_of(sys.stdin.read()).channels])",
    ],
    { cwd: join(import.meta.dirname, "../../activation/health"), input: settings?.content ?? "", encoding: "utf8" },
  );
  assert.deepEqual(
    [python.stderr, python.stdout],
    ["", "['mail', 'webhook chat', 'webhook runs', 'webhook sms', 'command']\n"],
  );
});

test("a check brings its notifiers along", async () => {
  const ops = new Notifier("ops-of-check", { mail });
  const check = new HealthCheck("told-check", { unit: { unitName: "api.service" }, notify: [ops] });
  const definition: Definition = await known(check.definition);
  assert.deepEqual(
    definition.units.map(({ name }) => name),
    [
      "told-check.timer",
      "pulumi-systemd-health-project-stack.service",
      "ops-of-check.service",
      "ops-of-check@.service",
    ],
  );
  const settings = definition.files.find(({ path }) => path.endsWith("/told-check.json"));
  assert.deepEqual(JSON.parse(settings?.content ?? "{}").notify, ["ops-of-check"]);
});

test("sendmail gets what a set-user-ID program needs, and nothing else does", async () => {
  const plain: Definition = await known(new Notifier("plain", { mail }).definition);
  const local: Definition = await known(
    new Notifier("local", { sendmail: { from: "a@example.org", to: ["b@example.org"] } }).definition,
  );
  const capabilities = ({ units }: Definition) =>
    unitModel(parseUnitFile(units[0]?.text ?? "")).Service?.CapabilityBoundingSet;
  assert.equal(capabilities(plain), "");
  assert.match(String(capabilities(local)), /CAP_SETUID/);
});

test("a mistake is one error that names the argument and what is accepted, and no secret", async () => {
  const wrong: [unknown, RegExp][] = [
    [{}, /has no channel; give at least one of mail, sendmail, webhooks, command/],
    [{ mail: { ...mail, to: [] } }, /mail\.to: is empty/],
    [{ mail: { ...mail, from: "Me <me@example.org>" } }, /mail\.from: .* is not a mail address/],
    [{ mail: { ...mail, security: "none" } }, /mail\.security: is none, but mail\.example\.org is another machine/],
    [{ mail: { ...mail, password: "s3cret" } }, /mail: has one of user and password; give both or none/],
    [{ webhooks: { a: { url: "s3cret" } } }, /webhooks\.a\.url: is not a URL/],
    [{ webhooks: { a: { url: "https://x/", shape: "template" } } }, /webhooks\.a\.template: is missing/],
    [{ webhooks: { a: { url: "https://x/", shape: "slack", template: "x" } } }, /webhooks\.a\.template: is given, but/],
    [{ mail, retrySec: "0" }, /retrySec: "0" is not a time span above 0/],
    [{ mail, every: 1 }, /Unrecognized key: "every"/],
  ];
  for (const [args, message] of wrong) {
    const parsed = notifierSchema.safeParse(args);
    assert.ok(!parsed.success, String(message));
    const told = parsed.error.issues.map(({ path, message: text }) => `${path.join(".")}: ${text}`).join("; ");
    assert.match(told, message);
    assert.ok(!told.includes("s3cret"), told);
  }
  assert.throws(() => new Notifier("a b", { mail }), pulumi.ResourceError);
});
