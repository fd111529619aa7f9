import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { resourceError, validArguments } from "../../components/argument-error.ts";
import { built, mapped, outputOf } from "../../components/deferred.ts";
import { notifierSchema } from "../../components/notifier-args.ts";
import { checkedWithoutEcho } from "../../components/secret-values.ts";
import { serviceSchema } from "../../components/service-args.ts";

const exec = ["/bin/true"];
const part = "Hunter2";
const secret = pulumi.secret(`${part} 5 sceonds`);
const service = (plain: unknown) => validArguments(serviceSchema, plain);

/** Arguments with a secret and a mistake, the check, and what it says. */
const cases: readonly [title: string, args: object, check: (plain: unknown) => unknown, message: string][] = [
  [
    "a time span",
    { exec, restartSec: secret },
    service,
    'restartSec: "[secret]" is not a time span: "[secret]" does not begin with a number; write e.g. "90s" or "1min 30s" (secret values are left out: [secret])',
  ],
  [
    "a directive",
    { exec, service: { ProtectSystem: secret } },
    service,
    'service.ProtectSystem: ProtectSystem: "[secret]" is not one of no, yes, full, strict (secret values are left out: [secret])',
  ],
  [
    "a part of a list in a promise",
    { mail: { host: "mail.example.org", from: "web@example.org", to: Promise.resolve([secret]) } },
    (plain) => validArguments(notifierSchema, plain),
    'mail.to[0]: "[secret]" is not a mail address; write e.g. ops@example.org (secret values are left out: [secret])',
  ],
  [
    "a value beside the mistake",
    { exec, restartSec: "5 sceonds", description: secret },
    service,
    'restartSec: "5 sceonds" is not a time span: "sceonds" is no unit; write e.g. "90s" or "1min 30s"; did you mean "seconds"?',
  ],
  [
    "a value that only its own text makes wrong",
    { word: secret },
    (plain) => {
      if (JSON.stringify(plain).includes("sceonds")) throw new Error(`bad: ${JSON.stringify(plain)}`);
    },
    "a secret value is not accepted, and it is not shown; look at the secrets among the arguments",
  ],
];

for (const [title, args, check, message] of cases) {
  test(`a secret as ${title}: no message holds it`, async () => {
    await assert.rejects(outcome(outputOf(built(args, check))), { message });
    assert.ok(!message.includes(part));
  });
}

test("a step over what was built says no secret either", async () => {
  const valid = built({ exec, description: secret }, service);
  const step = ({ description }: { description?: string | undefined }) => {
    throw new Error(`description: ${description}`);
  };
  await assert.rejects(outcome(outputOf(mapped(valid, step))), {
    message: "description: [secret] (secret values are left out: [secret])",
  });
});

test("without a secret the error is the check's own, at once", () => {
  const error = new Error("mistake");
  const fail = () => {
    throw error;
  };
  assert.throws(() => built({ exec }, fail), error);
  return assert.rejects(outcome(outputOf(built({ exec: pulumi.output(exec) }, fail))), error);
});

test("an error of a resource stays one, under the same resource", async () => {
  const fail = (known: unknown): never => {
    throw resourceError(`one: ${JSON.stringify(known)}`, undefined);
  };
  const value: pulumi.Output<unknown> = secret;
  const failure = value.apply((known) => checkedWithoutEcho(value, known, fail));
  await assert.rejects(outcome(failure), (error) => {
    assert.ok(pulumi.ResourceError.isInstance(error));
    assert.deepEqual(
      [error.message, error.hideStack],
      ['one: "[secret]" (secret values are left out: [secret])', true],
    );
    return true;
  });
});

/** The value of an Output; rejects when it fails. */
async function outcome(output: pulumi.Output<unknown>): Promise<unknown> {
  let failure: unknown;
  const told = pulumi.recover(output, (error) => {
    failure = error;
    return undefined;
  });
  // The SDK has no public way to await an Output outside of a program.
  const value = await (told as unknown as { promise(): Promise<unknown> }).promise();
  if (failure !== undefined) throw failure;
  return value;
}
