import type { Bundle } from "./bundle.ts";
import { bundleSchema } from "./bundle.ts";
import { packedHostProgram } from "./host-program.ts";

const withPython =
  `command -v python3 >/dev/null || { echo "pulumi-systemd: this host has no python3: install it (apt install python3)"; exit 127; }; ` +
  `exec python3 -Ic 'import sys,zlib,binascii;i=sys.stdin.buffer;` +
  `p=zlib.decompress(binascii.a2b_base64(i.read(int(i.readline()))));exec(p)'`;

/**
 * The shell line that runs one operation of the host program on a host. It never changes with the content: a provider
 * prints it whole when the run fails. Program and bundle come on standard input, as `hostInput` gives them.
 */
export function hostCommand(operation: "apply" | "destroy" | "look" | "status" | "logs"): string {
  return `${withPython} ${operation}`;
}

/** Begins the line with the password for sudo; JSON begins otherwise. */
const sudoLine = "sudo ";

/**
 * What a host gets on standard input: the length of the packed program, the packed program, a line with the login user's
 * password where sudo asks for one, and the bundle. Holds secrets when the bundle does.
 * @throws ZodError when the bundle is not well-formed: a defect of this library, not of its user
 */
export function hostInput(bundle: Bundle, sudoPassword?: string): string {
  return hostRequest(JSON.stringify(bundleSchema.parse(bundle)), sudoPassword);
}

/** The same for an operation that takes a request of its own in place of a bundle. */
export function hostRequest(payload: string, sudoPassword?: string): string {
  const program = packedHostProgram();
  const sudo = sudoPassword === undefined ? "" : `${sudoLine}${Buffer.from(sudoPassword).toString("base64")}\n`;
  return `${program.length}\n${program}${sudo}${payload}`;
}

/** What a Host sends to its machine beside the program. */
export interface HostInput {
  readonly bundle: Bundle;
  /** Password of the login user, where sudo asks for one. */
  readonly sudoPassword: string | undefined;
}

/**
 * What is in a text that `hostInput` gave.
 * @throws Error when it is not such a text, or of another version of this library
 */
export function openedHostInput(text: string): HostInput {
  const sent = parts(text);
  if (sent === undefined) throw new Error("this is not what a Host sends to its machine");
  const { password, payload } = sent;
  return {
    bundle: bundleSchema.parse(JSON.parse(payload)),
    sudoPassword: password === undefined ? undefined : Buffer.from(password, "base64").toString(),
  };
}

/** The bundle in a text that `hostInput` gave, of whatever version; undefined where it is no such text. */
export function sentBundle(text: string): unknown {
  try {
    return JSON.parse(parts(text)?.payload ?? "");
  } catch {
    return undefined;
  }
}

/**
 * Whether two texts ask the same of a host: all but the password for sudo, by which a host is reached. A text of another
 * version of this library asks something else.
 */
export function asksTheSame(one: string, other: string): boolean {
  if (one === other) return true;
  const [a, b] = [parts(one), parts(other)];
  return a !== undefined && b !== undefined && a.program === b.program && a.payload === b.payload;
}

interface SentParts {
  readonly program: string;
  readonly password: string | undefined;
  readonly payload: string;
}

/** What `hostInput` put together; undefined for any other text. */
function parts(text: string): SentParts | undefined {
  const bytes = Buffer.from(text);
  const lineEnd = bytes.indexOf("\n");
  const length = Number(bytes.subarray(0, Math.max(lineEnd, 0)).toString());
  if (!Number.isInteger(length) || length <= 0) return undefined;
  const program = bytes.subarray(lineEnd + 1, lineEnd + 1 + length).toString();
  const rest = bytes.subarray(lineEnd + 1 + length).toString();
  if (!rest.startsWith(sudoLine)) return { program, password: undefined, payload: rest };
  const end = rest.indexOf("\n");
  return { program, password: rest.slice(sudoLine.length, end), payload: rest.slice(end + 1) };
}
