import syscalls from "../data/security-syscall-sets.json" with { type: "json" };

/** Instruction sets whose system calls are known. */
export type Architecture = "x86_64" | "aarch64";

/**
 * An effective SystemCallFilter=, cut down to the calls that an exposure test asks about. `listed` is what an allow list
 * allows or a deny list denies.
 */
export interface SystemCallFilter {
  readonly mode: "allow" | "deny";
  readonly listed: ReadonlySet<string>;
}

// The inferred type has one property per group; here any name may be asked for.
const groups: Readonly<Record<string, readonly string[]>> = syscalls.groups;
const absent: Readonly<Record<Architecture, readonly string[]>> = syscalls.absent;

const assessed: ReadonlySet<string> = new Set(Object.values(groups).flat());

/** The filter after one more assignment; undefined: no filter. */
export function systemCallFilterAfter(
  value: string,
  filter: SystemCallFilter | undefined,
): SystemCallFilter | undefined {
  if (value === "") return undefined;
  const invert = value.startsWith("~");
  const mode = filter?.mode ?? (invert ? "deny" : "allow");
  const listed = new Set(filter?.listed);
  for (const item of (invert ? value.slice(1) : value).split(/\s+/)) {
    const [name = "", ...errors] = item.split(":");
    // An error number makes no sense for a call that is allowed; systemd ignores such an item.
    if (errors.length > 0 && !invert) continue;
    const calls = groups[name] ?? (assessed.has(name) ? [name] : []);
    for (const call of calls)
      if ((mode === "allow") === invert) listed.delete(call);
      else listed.add(call);
  }
  return { mode, listed };
}

/** systemd's badness, 0 to 10, of a filter for one group of system calls. */
export function systemCallBadness(filter: SystemCallFilter | undefined, group: string, machine: Architecture): number {
  if (filter === undefined) return 10;
  const calls = (groups[group] ?? []).filter((call) => !absent[machine].includes(call));
  if (filter.mode === "allow") return calls.some((call) => filter.listed.has(call)) ? 9 : 0;
  return calls.every((call) => filter.listed.has(call)) ? 0 : 10;
}
