import * as pulumi from "@pulumi/pulumi";
import type { Bundle } from "../activation/bundle.ts";
import { HostAnswerError } from "../activation/host-answer.ts";
import { lookAtHost } from "../activation/look-at-host.ts";
import type { Finding } from "../activation/look-report.ts";
import type { SshConnection } from "../activation/ssh/connection.ts";
import { sshSessions } from "../activation/ssh/session.ts";
import { SshError } from "../activation/ssh/ssh-error.ts";
import { turns } from "../activation/ssh/turns.ts";

/** Hosts that are looked at at once, whatever their number. */
const width = 16;

const sessions = sshSessions();
const turn = turns(width);

/**
 * Looks at a host and tells, as warnings of the resource, how it differs from what was applied. A host that cannot be asked
 * is a warning too: whatever is to be done there will say so itself.
 * @param isSame whether the program would send what it sent last, so that a host with anything else has drifted too
 * @returns what the next transaction repairs, in one line; undefined for nothing
 */
export async function driftNote(
  host: pulumi.Resource,
  name: string,
  connection: SshConnection,
  bundle: Bundle,
  isSame: boolean,
): Promise<string | undefined> {
  const warn = (line: string) => void pulumi.log.warn(`${name}: ${line}`, host);
  try {
    const report = await turn(() => lookAtHost(sessions, name, connection, bundle));
    if (report.busy !== "") {
      warn(`not looked at for drift: a transaction is at work there (${report.busy})`);
      return undefined;
    }
    const findings = [...report.findings, ...(isSame ? report.undeployed : [])];
    for (const finding of findings) warn(told(finding));
    const repaired = findings
      .filter((finding) => finding.repaired)
      .map(({ kind, unit, path }) => `${kind} ${path || unit}`);
    return repaired.length === 0 ? undefined : `repairs ${repaired.sort().join(", ")}`;
  } catch (error) {
    if (!(error instanceof SshError || error instanceof HostAnswerError)) throw error;
    warn(`not looked at for drift: ${error.message}`);
    return undefined;
  }
}

function told({ kind, unit, path, found, expected, repair, repaired }: Finding): string {
  const what = [unit, path].filter((each) => each !== "").join(" ");
  return `drift (${kind}): ${what}: ${found}; expected: ${expected}. ${repaired ? "Repaired by this update" : `To repair: ${repair}`}`;
}
