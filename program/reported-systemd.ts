import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { previousOutputs } from "../components/previous-state.ts";

const outputs = z.looseObject({ hosts: z.record(z.string(), z.unknown()) });
const summary = z.looseObject({ systemd: z.number().int().min(247).max(999) });

/**
 * Major versions of systemd that the hosts of this stack had when each was last updated, by the host's name. They stand in
 * the stack's own output `hosts`; reading it contacts no host and makes no resource. Empty before the first update, and where
 * the engine does not answer. A host whose entry has no version is left out.
 */
export async function reportedSystemd(): Promise<Map<string, number>> {
  const [project, stack] = [pulumi.getProject(), pulumi.getStack()];
  const urn = `urn:pulumi:${stack}::${project}::pulumi:pulumi:Stack::${project}-${stack}`;
  const parsed = outputs.safeParse((await previousOutputs())[urn]);
  if (!parsed.success) return new Map();
  return new Map(
    Object.entries(parsed.data.hosts).flatMap(([host, told]) => {
      const { success, data } = summary.safeParse(told);
      return success ? [[host, data.systemd] as const] : [];
    }),
  );
}
