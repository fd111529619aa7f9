import { UnknownValueError } from "./unknown-values.ts";

/**
 * A copy of a resource's inputs in which reading what is not known throws, as the SDK gives them to a policy.
 * @param unknown paths of what is not known, whether the inputs have a key for it or not: `sections.Service.User`, `args[1]`
 */
export function withUnknownInputs(
  inputs: Readonly<Record<string, unknown>>,
  unknown: readonly string[],
): Readonly<Record<string, unknown>> {
  return copied(inputs, unknown, "") as Record<string, unknown>;
}

function copied(value: unknown, unknown: readonly string[], path: string): unknown {
  if (typeof value !== "object" || value === null) return value;
  const isList = Array.isArray(value);
  const place = (key: string) => (isList ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`);
  const copy: object = isList ? [] : {};
  const gone = isList ? [] : unknown.flatMap((one) => keyBelow(path, one));
  for (const key of new Set([...Object.keys(value), ...gone])) {
    if (unknown.includes(place(key))) {
      const read = () => {
        throw new UnknownValueError(place(key));
      };
      Object.defineProperty(copy, key, { enumerable: true, get: read });
    } else Object.assign(copy, { [key]: copied(Reflect.get(value, key), unknown, place(key)) });
  }
  return copy;
}

/** The key of an object at `path` that the whole rest of another path is. */
function keyBelow(path: string, other: string): string[] {
  const start = path === "" ? "" : `${path}.`;
  const rest = other.startsWith(start) ? other.slice(start.length) : "";
  return /^[^.[]+$/.test(rest) ? [rest] : [];
}
