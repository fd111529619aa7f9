import { UsageError } from "../unit-source.ts";
import type { StackHost } from "./stack-hosts.ts";

/**
 * The hosts of these names; without a name, all.
 * @throws UsageError for a name that the stack does not have
 */
export function chosenHosts(all: readonly StackHost[], names: readonly string[], stack: string): readonly StackHost[] {
  if (all.length === 0) throw new UsageError(`the program of stack ${stack} makes no Host`);
  for (const name of names) {
    if (!all.some((host) => host.name === name)) {
      throw new UsageError(`stack ${stack} has no host ${name}; it has ${all.map((host) => host.name).join(", ")}`);
    }
  }
  return names.length === 0 ? all : all.filter((host) => names.includes(host.name));
}
