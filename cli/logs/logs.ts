import type { LogRequest } from "../../activation/host-logs.ts";
import { sshSessions } from "../../activation/ssh/session.ts";
import { chosenHosts } from "../stack/chosen-hosts.ts";
import type { StackHost } from "../stack/stack-hosts.ts";
import { workingStack } from "../stack/working-stack.ts";
import type { Terminal } from "../terminal.ts";
import { wholeName } from "../unit-patterns.ts";
import { UsageError } from "../unit-source.ts";
import { readHost } from "./host-reader.ts";
import { type LogForm, logText, shownFields } from "./log-text.ts";
import { byTime, type HostEntry, OrderedMerge, timeOf } from "./merged-logs.ts";

/** Options of `pulumi-systemd logs`. Those without a word here mean what they mean to journalctl(1). */
export interface LogsOptions {
  readonly stack: string;
  readonly cwd: string;
  readonly configFile?: string;
  /** Names of the hosts to ask; empty: all. */
  readonly hosts: readonly string[];
  /** Names and shell patterns of units; empty: all of the stack. */
  readonly units: readonly string[];
  /** In place of units: names of checks and of groups of checks of which to show what was told; empty: all. */
  readonly checks?: readonly string[];
  readonly follow?: boolean;
  /** How many of the last entries, of all hosts together. */
  readonly lines?: number | "all";
  readonly priority?: string;
  readonly since?: string;
  readonly until?: string;
  readonly output: LogForm;
  readonly invocation?: string;
  readonly generation?: number;
}

const exit = { well: 0, notKnown: 2 } as const;
/** Entries that are followed wait this long for older ones of other hosts. */
const heldMs = 300;
/** The first ones wait until every host has answered, but no longer. */
const firstHeldMs = 5000;
const defaultTail = 10;
/** A link that is cut is noticed after about three times as long. */
const keepaliveSec = 5;

/**
 * The journals of a stack's units on all its hosts, merged by time. Nothing is changed there.
 * @returns the exit status: 0 for all, 2 where a host could not be asked or no host has the units
 * @throws UsageError when the stack's program cannot be run, or options do not go together
 */
export async function logs(options: LogsOptions, terminal: Terminal): Promise<number> {
  const request = logRequest(options);
  const { stack, cwd, configFile } = options;
  const found = await workingStack({ folder: cwd, stack, configFile, secrets: true, state: true });
  const hosts = chosenHosts(found.hosts, options.hosts, found.stack);
  const problems: string[] = [];
  const unitsFound: string[] = [];
  const print = ({ host, entry }: HostEntry) => {
    const text = logText(host, entry, options.output, terminal.style);
    if (text !== undefined) terminal.print(text);
  };
  const read = request.follow ? followed : ordered;
  await read(
    hosts,
    request,
    print,
    terminal,
    (problem) => problems.push(problem),
    (units) => unitsFound.push(...units),
  );
  terminal.complain(...problems);
  if (problems.length > 0) return exit.notKnown;
  if (unitsFound.length > 0 || request.invocation !== undefined) return exit.well;
  const wanted = (options.checks ?? options.units).join(", ");
  const anything = options.checks === undefined ? "a unit of this stack" : "a health check of this stack";
  terminal.complain(`no host that answered has ${wanted || anything}`);
  return exit.notKnown;
}

/** @throws UsageError for options that do not go together */
function logRequest(options: LogsOptions): Omit<LogRequest, "scope"> {
  const { units, checks, follow = false, lines, priority, since, until, invocation, generation, output } = options;
  if (invocation !== undefined && units.length > 0) {
    throw new UsageError("--invocation is of one unit already: leave out the unit");
  }
  if (generation !== undefined && (since !== undefined || until !== undefined)) {
    throw new UsageError("--generation is a time already: leave out --since and --until");
  }
  return {
    units: units.map(wholeName),
    checks,
    follow,
    lines: lines === "all" ? undefined : lines,
    priority,
    // journalctl shows the last ten of what it follows where no begin is given.
    since: lines === "all" && since === undefined && generation === undefined ? "@0" : since,
    until,
    invocation,
    generation,
    fields: output === "json" ? [] : shownFields,
  };
}

type Reading = (
  hosts: readonly StackHost[],
  request: Omit<LogRequest, "scope">,
  print: (entry: HostEntry) => void,
  terminal: Terminal,
  onProblem: (problem: string) => void,
  onUnits: (units: readonly string[]) => void,
) => Promise<void>;

/** Journals to their end, in the order of time. */
const ordered: Reading = async (hosts, request, print, terminal, onProblem, onUnits) => {
  const sessions = sshSessions();
  const last: HostEntry[] = [];
  const { lines } = request;
  const merge = new OrderedMerge(
    hosts.map(({ name }) => name),
    (entry) => {
      if (lines === undefined) return print(entry);
      last.push(entry);
      if (last.length > lines) last.shift();
    },
  );
  // All of them at once: each waits for the lines of the others.
  await Promise.all(
    hosts.map(async (host) => {
      const problem = await readHost(host, sessions, request, {
        onStart: (_now, units) => onUnits(units),
        onEntry: (entry) => merge.add(host.name, entry),
        onLost: (told) => terminal.complain(`${told}; trying again`),
        onBack: () => terminal.complain(`${host.name}: the connection is there again`),
      });
      if (problem !== undefined) onProblem(problem);
      merge.end(host.name);
    }),
  );
  for (const entry of last) print(entry);
};

/** Journals without end: each entry waits a moment, so that those of one moment are in order. */
const followed: Reading = async (hosts, request, print, terminal, onProblem, onUnits) => {
  const sessions = sshSessions({ keepaliveSec });
  const tail =
    request.lines ?? (request.since === undefined && request.generation === undefined ? defaultTail : undefined);
  let held: { readonly at: number; readonly isBacklog: boolean; readonly of: HostEntry }[] = [];
  let isFirst = true;
  const begin = Date.now();
  let answeredAt = begin;
  const unanswered = new Set(hosts.map(({ name }) => name));
  const clocks = new Map<string, bigint>();
  const give = (isLast = false) => {
    const now = Date.now();
    const isSettled = unanswered.size === 0 && now - answeredAt >= 2 * heldMs;
    if (isFirst && !isLast && !isSettled && now - begin < firstHeldMs) return;
    const ripe = isLast ? held : held.filter(({ at }) => now - at >= heldMs);
    if (ripe.length === 0) return;
    held = held.filter((each) => !ripe.includes(each));
    const shown = byTime(ripe.map(({ of }) => of));
    // Each host sent as many of its last entries as are wanted of all together.
    const old = new Set(ripe.filter(({ isBacklog }) => isBacklog).map(({ of }) => of));
    let surplus = isFirst && tail !== undefined ? old.size - tail : 0;
    isFirst = false;
    for (const each of shown) {
      if (old.has(each) && surplus > 0) surplus -= 1;
      else print(each);
    }
  };
  const ticking = setInterval(give, heldMs / 3);
  try {
    await Promise.all(
      hosts.map(async (host) => {
        const { name } = host;
        const problem = await readHost(host, sessions, request, {
          onStart: (now, units) => {
            unanswered.delete(name);
            answeredAt = Date.now();
            clocks.set(name, BigInt(Math.round(now * 1e6)));
            onUnits(units);
          },
          onEntry: (entry) => {
            const isBacklog = timeOf(entry) < (clocks.get(name) ?? 0n);
            held.push({ at: Date.now(), isBacklog, of: { host: name, entry } });
          },
          onLost: (told) => {
            unanswered.delete(name);
            terminal.complain(`${told}; trying again`);
          },
          onBack: () => terminal.complain(`${name}: the connection is there again`),
        });
        unanswered.delete(name);
        if (problem === undefined) return;
        if (hosts.length > 1) terminal.complain(problem);
        onProblem(problem);
      }),
    );
  } finally {
    clearInterval(ticking);
    give(true);
  }
};
