import { readFileSync } from "node:fs";

/** From the source tree (`activation/`) and from the compiled one (`bin/activation/`). */
const places = ["../bin/host/pulumi-systemd-host.packed", "../host/pulumi-systemd-host.packed"];

let read: string | undefined;

/**
 * The Python program that runs on a host, as `build/host-program.mjs` joined and packed it: zlib, then base64. Packed it is
 * about a third as long; the engine handles it many times in each update, and a stack's state has it once for each host.
 *
 * @throws Error when it was not built yet.
 */
export function packedHostProgram(): string {
  read ??= firstText(places.map((place) => new URL(place, import.meta.url)));
  return read;
}

function firstText(candidates: URL[]): string {
  for (const candidate of candidates) {
    try {
      return readFileSync(candidate, "ascii");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  throw new Error(
    "the host program pulumi-systemd-host.packed is not built: run `node build/host-program.mjs` (`npm ci` does)",
  );
}
