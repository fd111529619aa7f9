import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { knownValue } from "./output-value.ts";

/** What the last update of this stack left: the outputs of each resource by its URN, secrets in the clear. */
type PreviousOutputs = Readonly<Record<string, unknown>>;

const answerSchema = z.looseObject({
  outputs: z.record(z.string(), z.looseObject({ outputs: z.unknown().optional() })).optional(),
});

const asked = new WeakMap<object, Promise<PreviousOutputs>>();

/**
 * What the last update of this stack left, asked of the engine once for each run of a program. Empty for a new stack, under
 * mocks, and where the engine does not tell.
 */
function previousOutputs(): Promise<PreviousOutputs> {
  const run = pulumi.runtime.getStackResource();
  if (run === undefined) return answer();
  const asking = asked.get(run) ?? answer();
  asked.set(run, asking);
  return asking;
}

async function answer(): Promise<PreviousOutputs> {
  try {
    // Under mocks there may be no organization.
    const stackName = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
    const { outputs = {} } = answerSchema.parse(
      await pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", { stackName }),
    );
    return Object.fromEntries(
      Object.entries(outputs).map(([urn, resource]) => [urn, withoutEnvelopes(resource.outputs)]),
    );
  } catch (error) {
    void pulumi.log.debug(`the stack's previous state is not known: ${String(error)}`);
    return {};
  }
}

/** Marks a secret on the wire; a secret within a secret keeps its own. */
const kindKey = "4dabf18193072939515e22adb298388d";
const secretKind = "1b47061264138c4ac30d75fd1eb44270";

function withoutEnvelopes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEnvelopes);
  if (typeof value !== "object" || value === null) return value;
  const fields: Readonly<Record<string, unknown>> = { ...value };
  if (fields[kindKey] === secretKind) return withoutEnvelopes(fields.value);
  return Object.fromEntries(Object.entries(fields).map(([key, part]) => [key, withoutEnvelopes(part)]));
}

/** Outputs of a child resource after the last update, secrets in the clear; undefined where it was not there. */
export async function previousOutputsOf(parent: pulumi.Resource, type: string, name: string): Promise<unknown> {
  const [all, urn] = await Promise.all([previousOutputs(), knownValue(parent.urn)]);
  return urn === undefined ? undefined : all[childUrn(urn, type, name)];
}

/** What a component registered as its outputs in the last update: empty where it did not come so far, undefined where it is new. */
export async function previousOutputsOfItself(component: pulumi.Resource): Promise<object | undefined> {
  const [all, urn] = await Promise.all([previousOutputs(), knownValue(component.urn)]);
  if (urn === undefined || !Object.hasOwn(all, urn)) return undefined;
  const outputs = all[urn];
  return typeof outputs === "object" && outputs !== null ? outputs : {};
}

/** URN of a child by its type and name. */
export function childUrn(parent: string, type: string, name: string): string {
  const [urn, stack, types = ""] = [parent.slice(0, parent.indexOf("::")), ...parent.split("::").slice(1)];
  return [urn, stack, `${types}$${type}`, name].join("::");
}
