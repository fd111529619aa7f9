import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";

const outputs = z.looseObject({ outputs: z.looseObject({ hosts: z.record(z.string(), z.unknown()) }) });
const summary = z.looseObject({ systemd: z.number().int().min(247).max(999) });

/**
 * Major versions of systemd that the hosts of this stack had when each was last updated, by the host's name. They stand in
 * the stack's own output `hosts`; reading it contacts no host and makes no resource. Empty before the first update, and where
 * the engine does not answer.
 */
export async function reportedSystemd(): Promise<Map<string, number>> {
  const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  let answer: unknown;
  try {
    answer = await pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", { name });
  } catch (error) {
    void pulumi.log.debug(`the stack's own outputs cannot be read: ${error instanceof Error ? error.message : error}`);
    return new Map();
  }
  return systemdOfHosts(answer);
}

/** The versions in the answer of the engine; a host whose entry has none is left out. */
export function systemdOfHosts(answer: unknown): Map<string, number> {
  const parsed = outputs.safeParse(answer);
  if (!parsed.success) return new Map();
  return new Map(
    Object.entries(parsed.data.outputs.hosts).flatMap(([host, told]) => {
      const { success, data } = summary.safeParse(told);
      return success ? [[host, data.systemd] as const] : [];
    }),
  );
}
