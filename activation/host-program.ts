import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { sha256 } from "./digests.ts";
import { unpackedText } from "./packed-text.ts";

/** From the source tree (`activation/`), and from the compiled one (`bin/activation/`) and the joined program (`bin/program/`). */
const places = ["../bin/host/pulumi-systemd-host.packed", "../host/pulumi-systemd-host.packed"];

/** The Python program that runs on a host, as `build/host-program.mjs` joined and packed it: zlib, then base64. */
export interface HostProgram {
  /** Where it lies on this machine. */
  readonly path: string;
  readonly packed: string;
  /** SHA-256 of the packed text. */
  readonly sha256: string;
  /** SHA-256 of the program itself: the host knows by it which one it runs. */
  readonly programSha256: string;
}

let read: HostProgram | undefined;

/** @throws Error when it was not built yet. */
export function hostProgram(): HostProgram {
  read ??= readProgram();
  return read;
}

function readProgram(): HostProgram {
  const path = places.map((place) => fileURLToPath(new URL(place, import.meta.url))).find((each) => existsSync(each));
  if (path === undefined) {
    throw new Error(
      "the host program pulumi-systemd-host.packed is not built: run `node build/host-program.mjs` (`npm ci` does)",
    );
  }
  const packed = readFileSync(path, "ascii");
  return { path, packed, sha256: sha256(packed), programSha256: sha256(unpackedText(packed)) };
}
