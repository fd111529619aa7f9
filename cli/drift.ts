import type { Bundle } from "../activation/bundle.ts";
import { HostAnswerError } from "../activation/host-answer.ts";
import { lookAtHost } from "../activation/look-at-host.ts";
import type { Finding, LookReport } from "../activation/look-report.ts";
import { type SshSessions, sshSessions } from "../activation/ssh/session.ts";
import { SshError } from "../activation/ssh/ssh-error.ts";
import { turns } from "../activation/ssh/turns.ts";
import { chosenHosts } from "./stack/chosen-hosts.ts";
import type { StackHost } from "./stack/stack-hosts.ts";
import { workingStack } from "./stack/working-stack.ts";
import type { Terminal } from "./terminal.ts";
import { tableLines } from "./terminal.ts";

/** Options of `pulumi-systemd drift`. */
export interface DriftOptions {
  readonly stack: string;
  readonly cwd: string;
  readonly configFile?: string;
  /** Names of the hosts to look at; empty: all. */
  readonly hosts: readonly string[];
  /** How many hosts at once. */
  readonly parallel: number;
  readonly json?: boolean;
}

/** One host of what `drift --json` prints. */
export interface HostDrift {
  readonly host: string;
  readonly address: string | undefined;
  /** Why it could not be looked at; then the rest is missing. */
  readonly problem?: string;
  /** What would be sent now is not known, so that `undeployed` is empty for that reason. */
  readonly unknown?: readonly string[];
  readonly report?: LookReport;
}

/** What `drift --json` prints. */
export interface DriftReport {
  readonly project: string;
  readonly stack: string;
  readonly hosts: readonly HostDrift[];
}

/** Exit status where a host could not be looked at: what it would tell is not known. */
const couldNotLook = 2;

/**
 * Looks at every host of a stack and tells how it differs from what was applied there, and from what the program says now.
 * @returns the exit status: 0 for none, 1 for drift, 2 where a host could not be looked at
 * @throws UsageError when the stack's program cannot be run
 */
export async function drift(options: DriftOptions, terminal: Terminal): Promise<number> {
  const { stack, cwd, configFile, parallel } = options;
  const found = await workingStack({ folder: cwd, stack, configFile, secrets: true, state: true });
  const all = await hostDrifts(chosenHosts(found.hosts, options.hosts, found.stack), parallel);
  const report: DriftReport = { project: found.project, stack: found.stack, hosts: all };
  if (options.json === true) terminal.print(JSON.stringify(report, null, 2));
  else print(report, terminal);
  return exitStatus(all);
}

/** How each of these hosts differs, over one connection to each. @param parallel how many at once */
export function hostDrifts(hosts: readonly StackHost[], parallel: number): Promise<HostDrift[]> {
  const sessions = sshSessions();
  const turn = turns(parallel);
  return Promise.all(hosts.map((host) => turn(() => lookedAt(host, sessions))));
}

async function lookedAt({ name, address, scope, connection, bundle, unknown }: StackHost, sessions: SshSessions) {
  const base = { host: name, address };
  if (connection === undefined) {
    return { ...base, problem: `${name}: how it is reached is known only after an update (${unknown.join(", ")})` };
  }
  try {
    const report = await lookAtHost(sessions, name, connection, bundle ?? nothingFor(scope));
    if (report.busy !== "") return { ...base, problem: `${name}: a transaction is at work there: ${report.busy}` };
    return bundle === undefined ? { ...base, unknown, report: { ...report, undeployed: [] } } : { ...base, report };
  } catch (error) {
    if (!(error instanceof SshError || error instanceof HostAnswerError)) throw error;
    return { ...base, problem: error.message };
  }
}

function nothingFor(scope: string): Bundle {
  const bounds = { transactionSec: 1, waitSec: 1, confirmSec: 0 };
  return {
    format: 1,
    scope,
    users: [],
    files: [],
    releases: [],
    hooks: [],
    units: [],
    adopt: [],
    keepGenerations: 5,
    bounds,
  };
}

function exitStatus(hosts: readonly HostDrift[]): number {
  if (hosts.some(({ problem }) => problem !== undefined)) return couldNotLook;
  return hosts.some(({ report }) => report && report.findings.length + report.undeployed.length > 0) ? 1 : 0;
}

function print({ hosts }: DriftReport, terminal: Terminal): void {
  const { strong, faint, good, warning, bad } = terminal.style;
  for (const { host, problem, report, unknown } of hosts) {
    if (report === undefined) {
      terminal.print(`${strong(host)}  ${bad("not looked at")}`, `  ${problem}`);
      continue;
    }
    const { generation, systemd, findings, undeployed, booted } = report;
    const facts = [
      generation === 0 ? "nothing applied yet" : `generation ${generation}`,
      `systemd ${systemd}`,
      ...(booted ? ["booted since"] : []),
    ];
    const count = findings.length + undeployed.length;
    const verdict = count === 0 ? good("as applied") : warning(counts(findings, undeployed));
    terminal.print(`${strong(host)}  ${verdict}  ${faint(`(${facts.join(", ")})`)}`);
    if (count > 0) {
      const rows = [...findings, ...undeployed].map((finding) => [
        `  ${warning(finding.kind)}`,
        finding.path || finding.unit,
        `${finding.found}; expected: ${finding.expected}`,
        finding.repair,
      ]);
      terminal.print(...tableLines([["  KIND", "WHAT", "FOUND", "REPAIRED BY"].map(faint), ...rows]));
    }
    if (unknown !== undefined) {
      terminal.print(faint(`  what would be sent now is not known: ${unknown.join(", ")}`));
    }
  }
}

function counts(findings: readonly Finding[], undeployed: readonly Finding[]): string {
  const differs =
    findings.length === 0 ? [] : [`${findings.length} ${findings.length === 1 ? "difference" : "differences"}`];
  return [...differs, ...(undeployed.length === 0 ? [] : [`${undeployed.length} not deployed`])].join(", ");
}
