import { type Passes, type StackVerdict, stackVerdicts } from "../../policies/stack-verdicts.ts";
import { waiverDaysLeft } from "../../systemd/lints/waiver.ts";
import type { StackHosts } from "../stack/stack-hosts.ts";

/** What one policy says of one unit or host of the new state. */
export interface ReviewedVerdict {
  /** Names, sorted; empty where it is about no host by itself. */
  readonly hosts: readonly string[];
  /** The unit, or the host. */
  readonly on: string;
  readonly policy: string;
  /** What it does to an update: `mandatory` ends it. */
  readonly level: StackVerdict["level"];
  readonly severity: StackVerdict["severity"];
  /** One line, without the name of what it is about. */
  readonly message: string;
  readonly fix: string;
  /** Where it is explained: `docs/policies.md#sandbox-tier`. */
  readonly page: string;
  /** Why it stops nothing; null where it stands. */
  readonly passes: (Passes & { readonly daysLeft?: number }) | null;
  /** Whether the base had it: `changed` had another one of this policy in its place. null where the base is not known. */
  readonly since: "new" | "changed" | "known" | null;
}

/** What the pack says of both states. */
export interface ReviewedPolicies {
  /** The file that was given for `--policy-pack-config`; null for none: every policy is advisory then. */
  readonly config: string | null;
  /** What is said of the new state, the most important first. */
  readonly verdicts: readonly ReviewedVerdict[];
  /** What stood at the base and does not any more. */
  readonly solved: readonly ReviewedVerdict[];
}

/** A verdict about one host, before those that say the same are put together. */
export type HostVerdict = Omit<ReviewedVerdict, "hosts"> & { readonly host: string };

/** A review has no state of the stack, so more is unknown to it than to the preview, which tells of it. Waivers are listed apart. */
const toldElsewhere = ["known-before-update"];

/**
 * What the pack says of each host of a stack.
 * @param config content of a file for `--policy-pack-config`
 * @throws PackConfigError
 */
export function hostVerdicts(stack: StackHosts, config: unknown, now: Date): readonly HostVerdict[] {
  const hostsOf = new Map<string, string[]>();
  for (const { name, units } of stack.hosts) {
    for (const { urn } of units) if (urn !== undefined) hostsOf.set(urn, [...(hostsOf.get(urn) ?? []), name]);
  }
  return stackVerdicts(stack.resources, { config, except: toldElsewhere, now })
    .filter(({ policy, passes }) => !(policy === "waivers" && passes?.by === "note"))
    .flatMap(({ policy, about, message, passes, level, severity, fix, page, host }) => {
      const left = passes?.by === "waiver" ? { daysLeft: waiverDaysLeft(passes, now) } : {};
      const verdict = {
        on: about.name,
        policy,
        level,
        severity,
        message: message.startsWith(`${about.name}: `) ? message.slice(about.name.length + 2) : message,
        fix,
        page,
        passes: passes === undefined ? null : { ...passes, ...left },
        since: null,
      };
      return (host === undefined ? (hostsOf.get(about.urn) ?? [""]) : [host]).map((one) => ({ ...verdict, host: one }));
    });
}

/** Both states compared; without verdicts of the base nothing is new, known or solved. */
export function reviewedPolicies(
  before: readonly HostVerdict[] | undefined,
  after: readonly HostVerdict[],
  config: string | null,
): ReviewedPolicies {
  if (before === undefined) return { config, verdicts: grouped(after), solved: [] };
  const left = new Map<string, HostVerdict[]>();
  for (const verdict of before) left.set(placeOf(verdict), [...(left.get(placeOf(verdict)) ?? []), verdict]);
  const taken = (verdict: HostVerdict, isSame: (old: HostVerdict) => boolean) => {
    const there = left.get(placeOf(verdict)) ?? [];
    const index = there.findIndex(isSame);
    return index >= 0 && there.splice(index, 1).length > 0;
  };
  const known = after.map((verdict) => ({
    verdict,
    isKnown: taken(verdict, (old) => saysOf(old) === saysOf(verdict)),
  }));
  const verdicts = known.map(({ verdict, isKnown }): HostVerdict => {
    if (isKnown) return { ...verdict, since: "known" };
    return { ...verdict, since: taken(verdict, () => true) ? "changed" : "new" };
  });
  const solved = [...left.values()].flat().filter(({ passes }) => passes === null);
  return { config, verdicts: grouped(verdicts), solved: grouped(solved) };
}

function placeOf({ host, on, policy }: HostVerdict): string {
  return JSON.stringify([host, on, policy]);
}

function saysOf({ message, passes }: HostVerdict): string {
  return JSON.stringify([message, passes]);
}

const severities = ["critical", "high", "medium", "low"];
const freshness = ["new", "changed", null, "known"];

/** Those that say the same once, with their hosts; the most important first. */
function grouped(verdicts: readonly HostVerdict[]): readonly ReviewedVerdict[] {
  const keyOf = ({ host: _, ...verdict }: HostVerdict) => JSON.stringify(verdict);
  return [...Map.groupBy(verdicts, keyOf).values()]
    .flatMap((same): ReviewedVerdict[] => {
      const [first] = same;
      if (first === undefined) return [];
      const { host: _, ...verdict } = first;
      const hosts = [...new Set(same.map(({ host }) => host))].filter((host) => host !== "").sort();
      return [{ hosts, ...verdict }];
    })
    .map((verdict) => ({ verdict, rank: rankOf(verdict) }))
    .sort((a, b) => a.rank - b.rank || (sortKey(a.verdict) < sortKey(b.verdict) ? -1 : 1))
    .map(({ verdict }) => verdict);
}

function rankOf({ passes, level, severity, since }: ReviewedVerdict): number {
  const standing = passes === null ? (level === "advisory" ? 1 : 0) : passes.by === "waiver" ? 2 : 3;
  return standing * 100 + freshness.indexOf(since) * 10 + severities.indexOf(severity);
}

function sortKey({ on, policy, message }: ReviewedVerdict): string {
  return `${on}\0${policy}\0${message}`;
}

/** Whether a verdict ends an update. */
export function isRefusal({ passes, level }: Pick<ReviewedVerdict, "passes" | "level">): boolean {
  return passes === null && level !== "advisory";
}

/** What the policies say in one line: `3 findings refuse this (1 new), 2 advise, 1 is waived, 2 are solved`. */
export function policiesLine({ verdicts, solved }: ReviewedPolicies): string {
  const refusals = verdicts.filter(isRefusal);
  const advice = verdicts.filter(({ passes, level }) => passes === null && level === "advisory");
  const waived = verdicts.filter(({ passes }) => passes?.by === "waiver");
  const fresh = (all: readonly ReviewedVerdict[]) => {
    const count = all.filter(({ since }) => since === "new" || since === "changed").length;
    return count > 0 ? ` (${count} new)` : "";
  };
  const parts = [
    ...(refusals.length > 0
      ? [`${counted(refusals, "finding refuses", "findings refuse")} this${fresh(refusals)}`]
      : []),
    ...(advice.length > 0 ? [`${counted(advice, "finding advises", "findings advise")}${fresh(advice)}`] : []),
    ...(waived.length > 0 ? [`${counted(waived, "is waived", "are waived")}${fresh(waived)}`] : []),
    ...(solved.length > 0 ? [`${counted(solved, "is solved", "are solved")}`] : []),
  ];
  return parts.length === 0 ? "nothing to say" : parts.join(", ");
}

function counted(all: readonly unknown[], one: string, several: string): string {
  return `${all.length} ${all.length === 1 ? one : several}`;
}
