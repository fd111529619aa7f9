import { sha256 } from "./digests.ts";

/**
 * File name of a release's archive in the login user's home. The host program knows by it which archives are of this scope,
 * also those of an update that failed and was given up.
 * @param archive SHA-256 of its bytes
 */
export function uploadName(scope: string, archive: string): string {
  return `${beginning(scope)}${archive}.tar`;
}

/**
 * File name of the host program in the login user's home, and where the host keeps it from then on: the scope's transactions
 * are run by it.
 * @param program SHA-256 of the program itself
 */
export function programName(scope: string, program: string): string {
  return `${beginning(scope)}${program}.program`;
}

/** The shell pattern of all that a scope ever has in the login user's home. */
export function uploadsOf(scope: string): string {
  return `${beginning(scope)}*`;
}

function beginning(scope: string): string {
  return `.pulumi-systemd-${sha256(scope).slice(0, 16)}-`;
}
