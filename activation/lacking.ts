import { z } from "zod";
import { sentBundle } from "./host-command.ts";

/** What a comparison needs of a bundle; another version of this library may have made the rest. */
const bundleSchema = z.looseObject({
  units: z.array(z.looseObject({ name: z.string(), content: z.string() })),
  files: z.array(
    z.looseObject({ path: z.string(), content: z.string(), encoding: z.string().default("utf-8"), mode: z.unknown() }),
  ),
  releases: z.array(z.looseObject({ name: z.string(), directory: z.string() })),
});
type Comparable = z.infer<typeof bundleSchema>;

/**
 * What a host is to get and does not have yet, as lines for a person: units with the lines that differ, other files by path,
 * releases by name. No content of a file is told.
 * @param before what was last applied to the host, as `sentInput` gave it
 * @param after what is to be sent
 */
export function lackingLines(before: string, after: string): string[] {
  const [has, next] = [comparable(before), comparable(after)];
  if (has === undefined || next === undefined) return [];
  return [
    ...unitLines(has, next),
    ...otherLines(texts(has.files), texts(next.files), ""),
    ...otherLines(directories(has), directories(next), "release "),
  ];
}

/**
 * What a host is to get that never had any of it: units by name, other files by path, releases by name.
 * @param after what is to be sent, as `sentInput` gave it
 */
export function lackingAll(after: string): string[] {
  const next = comparable(after);
  if (next === undefined) return [];
  const { units, files, releases } = next;
  return [
    ...units.map(({ name }) => name),
    ...files.map(({ path }) => path),
    ...releases.map(({ name }) => `release ${name}`),
  ];
}

function comparable(sent: string): Comparable | undefined {
  return bundleSchema.safeParse(sentBundle(sent)).data;
}

function unitLines(has: Comparable, next: Comparable): string[] {
  const old = new Map(has.units.map(({ name, content }) => [name, content]));
  const names = new Set(next.units.map(({ name }) => name));
  return [
    ...next.units.flatMap(({ name, content }) => {
      const there = old.get(name);
      if (there === content) return [];
      return there === undefined ? [`${name}: new`] : [`${name}:`, ...differences(there, content)];
    }),
    ...[...old.keys()].filter((name) => !names.has(name)).map((name) => `${name}: to be removed`),
  ];
}

/** Lines that only one of two texts has, those of the first before those of the second. */
function differences(one: string, other: string): string[] {
  const [a, b] = [one, other].map((text) => text.split("\n").filter((line) => line.trim() !== ""));
  return [...without(a, b).map((line) => `  -${line}`), ...without(b, a).map((line) => `  +${line}`)];
}

function without(lines: readonly string[] = [], others: readonly string[] = []): string[] {
  const left = [...others];
  return lines.filter((line) => {
    const at = left.indexOf(line);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

function texts(files: Comparable["files"]): Map<string, string> {
  return new Map(files.map(({ path, content, encoding, mode }) => [path, JSON.stringify([mode, encoding, content])]));
}

function directories({ releases }: Comparable): Map<string, string> {
  return new Map(releases.map(({ name, directory }) => [name, directory]));
}

function otherLines(old: ReadonlyMap<string, string>, next: ReadonlyMap<string, string>, kind: string): string[] {
  const changed = [...next].filter(([name, value]) => old.get(name) !== value);
  const gone = [...old.keys()].filter((name) => !next.has(name));
  return [
    ...changed.map(([name]) => `${kind}${name}: ${old.has(name) ? "changed" : "new"}`),
    ...gone.map((name) => `${kind}${name}: to be removed`),
  ];
}
