import { parsedUnitName, unitNameProblem } from "../systemd/unit-name.ts";

/**
 * Those of some units that are one of several instances of a service: they change one after the other, so that the others
 * serve meanwhile. Instances of one service stand together, `api@2` before `api@10`. The host program does the same.
 * @param known every unit of the host
 */
export function rolledInstances(names: readonly string[], known: readonly string[]): string[] {
  const families = Map.groupBy(known.flatMap(instanceOf), ({ prefix }) => prefix);
  return names
    .flatMap(instanceOf)
    .filter(({ prefix }) => (families.get(prefix)?.length ?? 0) > 1)
    .sort((a, b) => compared(a.prefix, b.prefix) || a.instance.localeCompare(b.instance, "en", { numeric: true }))
    .map(({ name }) => name);
}

function instanceOf(name: string) {
  if (unitNameProblem(name) !== undefined) return [];
  const { prefix, instance, type } = parsedUnitName(name);
  return instance === undefined || type !== "service" ? [] : [{ name, prefix, instance }];
}

function compared(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
