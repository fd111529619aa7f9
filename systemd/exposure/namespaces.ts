import { booleanOf, wordsBeforeFault } from "./value.ts";

const types = ["cgroup", "ipc", "net", "mnt", "pid", "time", "user", "uts"];

/** The namespace types that a service may create; undefined: nothing is assigned, it may create all. */
export type AllowedNamespaces = ReadonlySet<string> | undefined;

/** The allowed namespace types after one more assignment of RestrictNamespaces=. */
export function namespacesAfter(value: string, before: AllowedNamespaces): AllowedNamespaces {
  if (value === "") return undefined;
  const restricted = booleanOf(value);
  if (restricted !== undefined) return new Set(restricted ? [] : types);
  const invert = value.startsWith("~");
  const named = wordsBeforeFault(invert ? value.slice(1) : value);
  if (named.some((name) => !types.includes(name))) return before;
  if (invert) return new Set((before === undefined ? types : [...before]).filter((type) => !named.includes(type)));
  return new Set([...(before ?? []), ...named]);
}
