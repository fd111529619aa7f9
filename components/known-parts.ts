import * as pulumi from "@pulumi/pulumi";
import { fieldPath } from "./argument-error.ts";

/** What may stand for a value that is not known yet: two of each kind, so that what depends on it shows. */
const stands: readonly ((leaf: number) => readonly [unknown, unknown])[] = [
  (leaf) => [`unknown${leaf}x`, `unknown${leaf}y`],
  (leaf) => [`70${leaf}1`, `70${leaf}3`],
  (leaf) => [`/unknown${leaf}/x`, `/unknown${leaf}/y`],
  (leaf) => [`unknown${leaf}x.service`, `unknown${leaf}y.service`],
  (leaf) => [`192.0.2.${leaf}`, `198.51.100.${leaf}`],
  (leaf) => [7000 + leaf, 8000 + leaf],
  () => [true, false],
];

/**
 * What `step` makes of a value of which some parts are not known yet (`pulumi.unknown`): the parts of the result that do not
 * depend on them, the others unknown. It runs the step on two values that differ in the unknown parts alone, and keeps what
 * both results agree on; the step may have no effects.
 */
export function knownParts<T, R>(value: T, step: (known: T) => R): R {
  const leaves = unknownPaths(value, []);
  const kinds = leaves.map(() => 0);
  for (;;) {
    const [first, second] = [0, 1].map((side) => filled(value, leaves, kinds, side));
    try {
      // Filled values have the shape of the whole one.
      return agreement(step(first as T), step(second as T)) as R;
    } catch (error) {
      // A stand of the wrong kind is refused with the path of its field; another kind may fit there.
      const message = error instanceof Error ? error.message : "";
      const refused = leaves.findIndex((path, leaf) => {
        const isLast = (kinds[leaf] ?? 0) >= stands.length - 1;
        return !isLast && (leaves.length === 1 || isNamed(message, path, leaf));
      });
      if (refused < 0) return pulumi.unknown as R;
      kinds[refused] = (kinds[refused] ?? 0) + 1;
    }
  }
}

/** Whether a message is about one of the unknown parts: by its path, its directive, or what stood for it. */
function isNamed(message: string, path: Path, leaf: number): boolean {
  const key = path.findLast((part) => typeof part === "string");
  const signs = [fieldPath(path), key === undefined ? undefined : `${key}=`, `unknown${leaf}`];
  return signs.some((sign) => sign !== undefined && sign !== "" && message.includes(sign));
}

type Path = readonly (string | number)[];

function unknownPaths(value: unknown, path: Path): Path[] {
  if (pulumi.isUnknown(value)) return [path];
  if (Array.isArray(value)) return value.flatMap((part, index) => unknownPaths(part, [...path, index]));
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, part]) => unknownPaths(part, [...path, key]));
}

function filled(value: unknown, leaves: readonly Path[], kinds: readonly number[], side: number): unknown {
  let leaf = 0;
  const fill = (part: unknown): unknown => {
    if (pulumi.isUnknown(part)) {
      const stand = stands[kinds[leaf] ?? 0]?.(leaf)[side === 0 ? 0 : 1];
      leaf += 1;
      return stand;
    }
    if (Array.isArray(part)) return part.map(fill);
    return isRecord(part) ? Object.fromEntries(Object.entries(part).map(([key, inner]) => [key, fill(inner)])) : part;
  };
  return leaves.length === 0 ? value : fill(value);
}

function agreement(first: unknown, second: unknown): unknown {
  if (Object.is(first, second)) return first;
  if (Array.isArray(first) && Array.isArray(second) && first.length === second.length) {
    return first.map((part, index) => agreement(part, second[index]));
  }
  if (isRecord(first) && isRecord(second)) {
    const keys = new Set([...Object.keys(first), ...Object.keys(second)]);
    return Object.fromEntries([...keys].map((key) => [key, agreement(first[key], second[key])]));
  }
  return pulumi.unknown;
}

/** Whether a value is a plain object: whatever has a class, such as a resource, is a value as a whole. */
function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || pulumi.isUnknown(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
