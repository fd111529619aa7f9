import { specifiersIn } from "../specifiers.ts";
import { cUnescaped, WordSyntaxError } from "../words.ts";
import { parsedBoolean } from "./boolean.ts";
import { choiceProblem } from "./choice.ts";
import { base64TextProblem } from "./mount.ts";
import { pathProblem } from "./path.ts";
import { firstWordProblem, received, type ValueCheck, versionProblem } from "./value-check.ts";

/** Why a value is no list of URIs that systemd takes for documentation. */
export const urisProblem: ValueCheck = (value) =>
  firstWordProblem(value, (word) => {
    if (/[^\x20-\x7e]/.test(word))
      return `${received(word)} holds characters other than ASCII, which systemd refuses here`;
    if (/^(https?:\/\/.|file:\/|info:.|man:.)/.test(word) || specifiersIn(word).length > 0) return undefined;
    return `${received(word)} is no URI for documentation; begin with http://, https://, file:/, info: or man:`;
  });

/** Why a value is not base64. Does not echo it: it is what the process reads. */
export const base64Problem: ValueCheck = (value) => base64TextProblem(value);

/** Why a text has bad C escapes. Does not echo it: it is what the process reads. */
export const escapedTextProblem: ValueCheck = (value) => {
  try {
    cUnescaped(value);
    return undefined;
  } catch (error) {
    if (error instanceof WordSyntaxError) return `the text has a bad escape: ${error.message}`;
    throw error;
  }
};

/** Why a value is no D-Bus name: two or more words with dots between, of letters, digits, - and _, not beginning with a digit. */
export const busNameProblem: ValueCheck = (value) => {
  if (specifiersIn(value).length > 0) return undefined;
  const word = value.startsWith(":") ? "[A-Za-z0-9_-]+" : "[A-Za-z_-][A-Za-z0-9_-]*";
  const form = new RegExp(`^:?${word}(\\.${word})+$`);
  if (form.test(value) && value.length <= 255) return undefined;
  return `${received(value)} is no D-Bus name; write e.g. org.example.Api`;
};

/** Why a value is no name of a file descriptor: up to 255 ASCII characters, none of them a colon. */
export const descriptorNameProblem: ValueCheck = (value) => {
  if (specifiersIn(value).length > 0 || /^[\x20-\x39\x3b-\x7e]{1,255}$/.test(value)) return undefined;
  return `${received(value)} is no name of a descriptor; write at most 255 ASCII characters without a colon`;
};

/** Why a value is no argument for the reboot call: up to 255 ASCII characters. Checked for 252 and newer. */
export const rebootArgumentProblem: ValueCheck = (value, _directive, systemd) => {
  if (systemd !== undefined && systemd < 252) return undefined;
  const longest = specifiersIn(value).length > 0 ? Number.POSITIVE_INFINITY : 255;
  if (/^[^\u0080-\uffff]*$/.test(value) && value.length <= longest) return undefined;
  return `${received(value)} is no argument for the reboot call; write at most 255 ASCII characters`;
};

/** Why a value is no condition on a boolean: `|` for one of several, then `!` for the opposite, then yes or no. */
export const conditionBooleanProblem: ValueCheck = (value) => {
  const word = value.replace(/^\|?!?[ \t]*/, "");
  if (parsedBoolean(word) !== undefined || specifiersIn(word).length > 0) return undefined;
  return `${received(word)} is not a boolean; write yes or no, after | and ! as needed`;
};

/** Why a value is no instance: what stands between the @ and the suffix of a unit name. */
export const instanceProblem: ValueCheck = (value) => {
  if (/^[A-Za-z0-9:\-_.\\@]+$/.test(value) || specifiersIn(value).length > 0) return undefined;
  return `${received(value)} is no instance; write letters, digits and : - _ . \\ @, other text as systemd-escape does`;
};

/** Why a value is no journal namespace: the characters of an instance, as the journal runs one instance for each. */
export const logNamespaceProblem: ValueCheck = (value) => {
  if ((/^[A-Za-z0-9:\-_.\\@]+$/.test(value) && !/^\.{1,2}$/.test(value)) || specifiersIn(value).length > 0)
    return undefined;
  return `${received(value)} is no journal namespace; write letters, digits and : - _ . \\`;
};

/** Why a value is no name of a control group: one path component. */
export const controlGroupNameProblem: ValueCheck = (value) =>
  value.includes("/") || value === "." || value === ".."
    ? `${received(value)} is no name of a control group; write one name without "/"`
    : undefined;

const bpfAttachTypes = [
  "ingress",
  "egress",
  "sock_create",
  "sock_ops",
  "device",
  "bind4",
  "bind6",
  "connect4",
  "connect6",
  "post_bind4",
  "post_bind6",
  "sendmsg4",
  "sendmsg6",
  "sysctl",
  "recvmsg4",
  "recvmsg6",
  "getsockopt",
  "setsockopt",
];

/** Why a value is no BPF program: attach type, colon, absolute path. */
export const bpfProgramProblem: ValueCheck = (value) => {
  const colon = value.indexOf(":");
  if (colon < 0)
    return `${received(value)} has no colon; write the attach type, a colon and the path of the pinned program`;
  return choiceProblem(value.slice(0, colon), bpfAttachTypes) ?? pathProblem(value.slice(colon + 1));
};

/** Why a value is no image policy: `*`, `-`, `~`, or `partition=flag+flag` parts with colons between (systemd.image-policy(7)). */
export const imagePolicyProblem: ValueCheck = (value) => {
  if (["*", "-", "~"].includes(value) || value.split(":").every((part) => /^[a-z -]*=[a-z+ -]*$/.test(part)))
    return undefined;
  return `${received(value)} is no image policy; write e.g. "root=verity+signed:swap=absent", or *, - or ~`;
};

/** Why a value is no file to open: absolute path, then a name and `read-only`, `append`, `truncate`, `graceful`. */
export const openFileProblem: ValueCheck = (value) => {
  const [path = "", , options = ""] = value.split(/(?<!\\):/);
  const known = ["read-only", "append", "truncate", "graceful"];
  const bad = options.split(",").find((option) => option !== "" && !known.includes(option));
  if (!path.replace(/^"/, "").startsWith("/")) return pathProblem(path);
  return bad === undefined ? undefined : choiceProblem(bad.replace(/"$/, ""), known);
};

const inputs = ["null", "tty", "tty-force", "tty-fail", "socket", "fd", "data", "file"];
const outputs = ["inherit", "null", "tty", "kmsg", "kmsg+console", "journal", "journal+console", "socket", "fd"];
const fileOutputs = ["file", "append", "truncate"];
/** Removed in 246; systemd still reads them, warns, and takes `journal`. */
const formerOutputs = ["syslog", "syslog+console"];

/** Why a value is no source of standard input. */
export const standardInputProblem: ValueCheck = (value) => streamProblem(value, inputs, ["file"]);

/** Why a value is no destination of standard output or error. */
export const standardOutputProblem: ValueCheck = (value, _directive, systemd) => {
  if (formerOutputs.includes(value)) return undefined;
  return (
    streamProblem(value, [...outputs, ...fileOutputs], fileOutputs) ??
    versionProblem(value, value.startsWith("truncate") ? 248 : 0, systemd)
  );
};

function streamProblem(value: string, words: readonly string[], files: readonly string[]): string | undefined {
  const colon = value.indexOf(":");
  const target = colon < 0 ? undefined : value.slice(colon + 1);
  const word = colon < 0 ? value : value.slice(0, colon);
  if (files.includes(word)) {
    return target === undefined
      ? `${received(value)} has no path; write ${word}: and an absolute path`
      : pathProblem(target);
  }
  if (word === "fd" && target !== undefined) {
    return target.includes(":") ? `${received(target)} is no name of a descriptor` : undefined;
  }
  const accepted = words.map((known) => (files.includes(known) ? `${known}:/path` : known));
  return choiceProblem(value, accepted.concat(words.includes("fd") ? ["fd:name"] : []));
}
