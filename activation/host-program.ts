import { readFileSync } from "node:fs";

/** From the source tree (`activation/`) and from the compiled one (`bin/activation/`). */
const places = ["../bin/host/pulumi-systemd-host.py", "../host/pulumi-systemd-host.py"];

let read: string | undefined;

/**
 * The text of the Python program that runs on a host, as `build/host-program.mjs` joined it.
 *
 * @throws Error when it was not built yet.
 */
export function hostProgram(): string {
  read ??= firstText(places.map((place) => new URL(place, import.meta.url)));
  return read;
}

function firstText(candidates: URL[]): string {
  for (const candidate of candidates) {
    try {
      return readFileSync(candidate, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  throw new Error(
    "the host program pulumi-systemd-host.py is not built: run `node build/host-program.mjs` (`npm ci` does)",
  );
}
