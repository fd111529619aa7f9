/** Marks of the Pulumi wire protocol, the same in every SDK (sdk/nodejs/runtime/rpc.ts). */
const kindKey = "4dabf18193072939515e22adb298388d";
const secretKind = "1b47061264138c4ac30d75fd1eb44270";
const outputKind = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
const resourceKind = "5cf8f73096256a8f31e491e813e4eb8e";
/** Stands for a value that is known only after an update. */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** A value of a resource as a person thinks of it, and what was said about its parts. */
export interface Opened {
  /** The value without envelopes. What is not known yet is left out of objects and is `undefined` elsewhere. */
  readonly value: unknown;
  /** Paths of what is not known yet: `connection.host`. */
  readonly unknown: readonly string[];
  /** Paths of what is secret. */
  readonly secret: readonly string[];
}

/** Takes a property out of the envelopes in which it travels to the engine. */
export function opened(property: unknown, path = ""): Opened {
  if (property === unknownValue) return { value: undefined, unknown: [path], secret: [] };
  if (Array.isArray(property)) {
    const parts = property.map((part, index) => opened(part, `${path}[${index}]`));
    return { value: parts.map((part) => part.value), ...said(parts) };
  }
  if (typeof property !== "object" || property === null) return { value: property, unknown: [], secret: [] };
  const fields: Readonly<Record<string, unknown>> = { ...property };
  switch (fields[kindKey]) {
    case secretKind:
      return { ...opened(fields.value, path), secret: [path] };
    case outputKind: {
      const inner = opened("value" in fields ? fields.value : unknownValue, path);
      return { ...inner, secret: fields.secret === true ? [path] : inner.secret };
    }
    case resourceKind:
      return { value: fields.urn, unknown: [], secret: [] };
  }
  const parts = Object.entries(fields)
    .filter(([key]) => key !== kindKey)
    .map(([key, part]) => [key, opened(part, path === "" ? key : `${path}.${key}`)] as const);
  return {
    value: Object.fromEntries(
      parts.filter(([, part]) => part.value !== undefined).map(([key, part]) => [key, part.value]),
    ),
    ...said(parts.map(([, part]) => part)),
  };
}

function said(parts: readonly Opened[]): Pick<Opened, "unknown" | "secret"> {
  return { unknown: parts.flatMap(({ unknown }) => unknown), secret: parts.flatMap(({ secret }) => secret) };
}
