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

/**
 * The bundle in a text that `hostInput` gave.
 * @throws Error when it is not such a text, or of another version of this library
 */
export function bundleOfHostInput(text: string): Bundle {
  const bytes = Buffer.from(text);
  const lineEnd = bytes.indexOf("\n");
  const program = Number(bytes.subarray(0, Math.max(lineEnd, 0)).toString());
  if (!Number.isInteger(program) || program <= 0) throw new Error("this is not what a Host sends to its machine");
  return bundleSchema.parse(JSON.parse(bytes.subarray(lineEnd + 1 + program).toString()));
}
