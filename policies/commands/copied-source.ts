import type { CheckedResource } from "../checked-resource.ts";
import { reading, UnknownValueError } from "../unknown-values.ts";

/** What a copied file is made from: a text of the program, or a file of this machine. */
export interface CopiedSource {
  readonly text?: string;
  readonly path?: string;
}

/** Under which the SDK gives the value behind the proxy that it hands out. */
const behindProxy = "__getSpecialProxyTarget";

let last: { readonly urn: string; readonly source: CopiedSource } | undefined;

/**
 * Reads what a copied file is made from, which the SDK gives as promises.
 * @returns undefined where there is nothing to wait for
 */
export function awaitedSource({ urn, props }: CheckedResource): Promise<void> | undefined {
  last = undefined;
  const { value } = reading(() => props.source);
  const asset = behind(value);
  if (typeof asset !== "object" || asset === null) return undefined;
  const { text, path } = asset as { text?: unknown; path?: unknown };
  if (!(text instanceof Promise) && !(path instanceof Promise)) return undefined;
  return Promise.all([text, path]).then(([known, file]) => {
    last = {
      urn,
      source: {
        ...(typeof known === "string" ? { text: known } : {}),
        ...(typeof file === "string" ? { path: file } : {}),
      },
    };
  });
}

/** What a copied file is made from, as far as it is known. @throws UnknownValueError */
export function copiedSource({ urn, props }: CheckedResource): CopiedSource {
  if (last?.urn === urn) return last.source;
  const { value, isKnown } = reading(() => props.source);
  if (!isKnown) throw new UnknownValueError("source");
  return (behind(value) ?? {}) as CopiedSource;
}

function behind(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return (value as Record<string, unknown>)[behindProxy] ?? value;
}
