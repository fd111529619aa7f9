import { inflateSync } from "node:zlib";
import { strToU8, zlibSync } from "fflate";

/**
 * A text as it travels to a host: zlib, then base64. Same text, same bytes on every machine, as Node's own compression does
 * not promise.
 */
export function packedText(text: string): string {
  return Buffer.from(zlibSync(strToU8(text), { level: 6 })).toString("base64");
}

/** @throws Error when it is none that `packedText` gave */
export function unpackedText(packed: string): string {
  return inflateSync(Buffer.from(packed, "base64")).toString();
}
