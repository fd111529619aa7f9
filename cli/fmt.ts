import { printUnitFile } from "../systemd/unit-file.ts";
import type { Terminal } from "./terminal.ts";
import { unitSource } from "./unit-source.ts";

/**
 * Prints a unit file in canonical form: comments dropped, continuation lines joined, one blank line between sections.
 * @returns the exit status
 */
export function fmt(path: string, terminal: Terminal): number {
  terminal.print(printUnitFile(unitSource(path).file).replace(/\n$/, ""));
  return 0;
}
