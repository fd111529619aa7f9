import { setTimeout as sleep } from "node:timers/promises";
import { HostAnswerError } from "../../activation/host-answer.ts";
import { type HostStatus, hostStatus } from "../../activation/host-status.ts";
import { type SshSessions, sshSessions } from "../../activation/ssh/session.ts";
import { SshError } from "../../activation/ssh/ssh-error.ts";
import { turns } from "../../activation/ssh/turns.ts";
import { chosenHosts } from "../stack/chosen-hosts.ts";
import type { StackHost } from "../stack/stack-hosts.ts";
import { workingStack } from "../stack/working-stack.ts";
import type { Terminal } from "../terminal.ts";
import { unitFilter, unmatched } from "../unit-patterns.ts";
import { exitStatusOf, narrowed, type StackHostStatus, type StackStatus, statusExit } from "./stack-status.ts";
import { statusLines } from "./status-lines.ts";

/** Options of `pulumi-systemd status`. */
export interface StatusOptions {
  readonly stack: string;
  readonly cwd: string;
  readonly configFile?: string;
  /** Names of the hosts to ask; empty: all. */
  readonly hosts: readonly string[];
  /** Names and shell patterns of units; empty: all. */
  readonly units: readonly string[];
  /** How many hosts are asked at once. */
  readonly parallel: number;
  readonly json?: boolean;
  /** Seconds between one look and the next, without end. Undefined: one look. */
  readonly watch?: number;
  /** Whether the lines go to a terminal, which a watch then keeps to itself. */
  readonly isScreen?: boolean;
}

/** A host that was lost is dialled again after this long, then after twice that, up to a minute. */
const redialSec = 2;
const redialMostSec = 60;
const clearScreen = "\x1b[H\x1b[2J\x1b[3J";

/**
 * How every managed unit of every host of a stack is. Hosts are asked side by side over one connection each, and nothing is
 * changed there.
 * @returns the exit status: 0 when all is well, 1 when a unit or a check is not, 2 where a host could not be asked
 * @throws UsageError when the stack's program cannot be run
 */
export async function status(options: StatusOptions, terminal: Terminal): Promise<number> {
  const { stack, cwd, configFile } = options;
  const found = await workingStack({ folder: cwd, stack, configFile, secrets: true, state: true });
  const hosts = chosenHosts(found.hosts, options.hosts, found.stack);
  const sessions = sshSessions();
  const { project } = found;
  const shown = (all: readonly StackHostStatus[]): StackStatus => ({ project, stack: found.stack, hosts: all });
  if (options.watch !== undefined)
    return watched(hosts, sessions, shown, { ...options, watch: options.watch }, terminal);
  const turn = turns(options.parallel);
  const all = await Promise.all(hosts.map((host) => turn(() => asked(host, sessions))));
  const units = all.flatMap((host) => host.status?.units ?? []).map(({ name }) => name);
  const unknown = unmatched(options.units, units);
  const report = shown(all.map((host) => narrowed(host, unitFilter(options.units))));
  if (options.json === true) terminal.print(JSON.stringify(report, null, 2));
  else terminal.print(...statusLines(report, terminal.style));
  if (unknown.length > 0) terminal.complain(`no host that answered has ${unknown.join(", ")}`);
  return unknown.length > 0 ? statusExit.notKnown : exitStatusOf(report);
}

async function asked(host: StackHost, sessions: SshSessions): Promise<StackHostStatus> {
  let status: HostStatus | undefined;
  const problem = await problemOf(host, sessions, {
    everySec: 0,
    onStatus: (found) => {
      status = found;
    },
  });
  const { name, address } = host;
  if (problem !== undefined || status === undefined) return { host: name, address, problem: problem ?? "no answer" };
  return { host: name, address, status };
}

/** Why a host gives no status any more; undefined when it gave what was asked for. */
async function problemOf(
  { name, scope, connection, unknown }: StackHost,
  sessions: SshSessions,
  options: Parameters<typeof hostStatus>[4],
): Promise<string | undefined> {
  if (connection === undefined) {
    return `${name}: how it is reached is known only after an update (${unknown.join(", ")})`;
  }
  try {
    await hostStatus(sessions, name, connection, scope, options);
    return undefined;
  } catch (error) {
    if (!(error instanceof SshError || error instanceof HostAnswerError)) throw error;
    return error.message;
  }
}

/** Shows the status again and again, each host over a connection that stays; one that is lost is dialled again. */
async function watched(
  hosts: readonly StackHost[],
  sessions: SshSessions,
  shown: (all: readonly StackHostStatus[]) => StackStatus,
  { units, json, watch, isScreen }: StatusOptions & { readonly watch: number },
  terminal: Terminal,
): Promise<never> {
  const latest = new Map<string, StackHostStatus>();
  const follow = async (host: StackHost): Promise<never> => {
    const { name, address } = host;
    for (let tries = 0; ; tries += 1) {
      const problem = await problemOf(host, sessions, {
        everySec: watch,
        onStatus: (status) => {
          tries = 0;
          latest.set(name, { host: name, address, status });
        },
      });
      const last = latest.get(name)?.status;
      const lost = problem ?? `${name}: the host ended the watch`;
      latest.set(name, { host: name, address, problem: lost, ...(last === undefined ? {} : { status: last }) });
      await sleep(Math.min(redialSec * 2 ** tries, redialMostSec) * 1000);
    }
  };
  const show = async (): Promise<never> => {
    const hasAnswered = () => hosts.every(({ name }) => latest.has(name));
    for (let waited = 0; !hasAnswered() && waited < redialMostSec; waited += 0.1) await sleep(100);
    for (;;) {
      const all = hosts.map(
        ({ name, address }) => latest.get(name) ?? { host: name, address, problem: "no answer yet" },
      );
      const report = shown(all.map((host) => narrowed(host, unitFilter(units))));
      if (json === true) terminal.print(JSON.stringify(report));
      else {
        const title = terminal.style.faint(`${report.project}/${report.stack}  ${new Date().toLocaleTimeString()}`);
        terminal.print(isScreen === true ? clearScreen + title : title, ...statusLines(report, terminal.style), "");
      }
      await sleep(watch * 1000);
    }
  };
  await Promise.all([...hosts.map(follow), show()]);
  throw new Error("a watch has no end");
}
