import type { Bundle } from "./bundle.ts";
import { bundleSchema } from "./bundle.ts";
import { hostProgram } from "./host-program.ts";

const withPython =
  `command -v python3 >/dev/null || { echo "pulumi-systemd: this host has no python3: install it (apt install python3)"; exit 127; }; ` +
  `exec python3 -Ic 'import sys;i=sys.stdin.buffer;p=i.read(int(i.readline()));exec(p)'`;

/**
 * The shell line that runs one operation of the host program on a host. It never changes with the content: a provider
 * prints it whole when the run fails. Program and bundle come on standard input, as `hostInput` gives them.
 */
export function hostCommand(operation: "apply" | "destroy"): string {
  return `${withPython} ${operation}`;
}

/**
 * What the host program reads from standard input: its own length, its text, and the bundle.
 * Holds secrets when the bundle does.
 * @throws ZodError when the bundle is not well-formed: a defect of this library, not of its user
 */
export function hostInput(bundle: Bundle): string {
  const program = hostProgram();
  return `${Buffer.byteLength(program)}\n${program}${JSON.stringify(bundleSchema.parse(bundle))}`;
}
