import type { Bundle } from "./bundle.ts";
import { bundleSchema } from "./bundle.ts";
import { sha256 } from "./digests.ts";
import { hostProgram } from "./host-program.ts";
import { packedText, unpackedText } from "./packed-text.ts";
import { programName } from "./uploads.ts";

/** Where the host keeps what it once got in the login user's home: programs.py. */
const programs = "/var/lib/pulumi-systemd-programs";
/** Gone with the last stack of a host. */
const ledgers = "/var/lib/pulumi-systemd";

const withPython =
  `command -v python3 >/dev/null || { echo "pulumi-systemd: this host has no python3: install it (apt install python3)"; exit 127; }; ` +
  `exec python3 -Ic 'import sys,os,zlib,binascii,hashlib;i=sys.stdin.buffer;n,*f=i.readline().decode().split();` +
  // The program follows, or is on the host already.
  `d=[d+"/"+x for x in f for d in ("${programs}",os.path.expanduser("~"))];` +
  `b=next((b for b in (open(x,"rb").read() for x in d if os.path.isfile(x)) if hashlib.sha256(b).hexdigest()==n),b"") if d else i.read(int(n));` +
  // Where nothing is left of any stack, there is nothing to destroy.
  `b or sys.exit(0 if sys.argv[1]=="destroy" and not os.path.isdir("${ledgers}") else ` +
  `"pulumi-systemd: its program is gone from this host, or was changed there (%s); pulumi up sends it again, and so does pulumi destroy --run-program"%" or ".join(d));` +
  `p=zlib.decompress(binascii.a2b_base64(b));exec(p)'`;

/**
 * The shell line that runs one operation of the host program on a host. It never changes with the content: a provider
 * prints it whole when the run fails. What it works on comes on standard input, as `hostInput` gives it.
 */
export function hostCommand(operation: "apply" | "destroy" | "look" | "status" | "logs"): string {
  return `${withPython} ${operation}`;
}

/** Begins the line with the password for sudo; JSON begins otherwise. */
const sudoLine = "sudo ";

/**
 * What a host gets on standard input from one who has sent nothing before: the length of the packed program, the packed
 * program, a line with the login user's password where sudo asks for one, and the bundle. Holds secrets when the bundle does.
 * @throws ZodError when the bundle is not well-formed: a defect of this library, not of its user
 */
export function hostInput(bundle: Bundle, sudoPassword?: string): string {
  return hostRequest(bundleText(bundle), sudoPassword);
}

/** The same for an operation that takes a request of its own in place of a bundle. */
export function hostRequest(payload: string, sudoPassword?: string): string {
  const { packed } = hostProgram();
  return `${packed.length}\n${packed}${sudoPart(sudoPassword)}${payload}`;
}

/**
 * What a Host sends to its machine, which has the program already: its SHA-256 and file name in place of it, and the bundle
 * packed. The engine handles this text many times in each update, and a stack's state has it twice for
 * each host.
 * @throws ZodError when the bundle is not well-formed: a defect of this library, not of its user
 */
export function sentInput(bundle: Bundle, sudoPassword?: string): string {
  const { sha256: packed, programSha256 } = hostProgram();
  const program = `${packed} ${programName(bundle.scope, programSha256)}`;
  return `${program}\n${sudoPart(sudoPassword)}${packedText(bundleText(bundle))}`;
}

function bundleText(bundle: Bundle): string {
  return JSON.stringify(bundleSchema.parse(bundle));
}

function sudoPart(password: string | undefined): string {
  return password === undefined ? "" : `${sudoLine}${Buffer.from(password).toString("base64")}\n`;
}

/** What a Host sends to its machine beside the program. */
export interface HostInput {
  readonly bundle: Bundle;
  /** Password of the login user, where sudo asks for one. */
  readonly sudoPassword: string | undefined;
}

/**
 * What is in a text that `sentInput` or `hostInput` gave.
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

/** The bundle in a text that `sentInput` or `hostInput` gave, of whatever version; undefined where it is no such text. */
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
  /** SHA-256 of the packed program. */
  readonly program: string;
  readonly password: string | undefined;
  readonly payload: string;
}

/** What was put together here; undefined for any other text. */
function parts(text: string): SentParts | undefined {
  const lineEnd = text.indexOf("\n");
  const [program = "", file] = text.slice(0, Math.max(lineEnd, 0)).split(" ");
  if (file !== undefined) {
    const { password, payload } = afterProgram(text.slice(lineEnd + 1));
    try {
      return { program, password, payload: unpackedText(payload) };
    } catch {
      return undefined;
    }
  }
  const length = Number(program);
  if (!Number.isInteger(length) || length <= 0) return undefined;
  // The packed program is ASCII: its bytes are its characters.
  const start = lineEnd + 1 + length;
  return { program: sha256(text.slice(lineEnd + 1, start)), ...afterProgram(text.slice(start)) };
}

function afterProgram(rest: string): { readonly password: string | undefined; readonly payload: string } {
  if (!rest.startsWith(sudoLine)) return { password: undefined, payload: rest };
  const end = rest.indexOf("\n");
  return { password: rest.slice(sudoLine.length, end), payload: rest.slice(end + 1) };
}
