import { createHash, createHmac } from "node:crypto";

/** Types of host keys that can be checked, the best first. */
export const hostKeyTypes = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
] as const;

/** A line about host keys that cannot be used. The message says what to write. */
export class HostKeyError extends Error {
  override readonly name = "HostKeyError";
}

/**
 * The host keys that a text accepts for an endpoint: public keys (`ssh-ed25519 AAAA...`), lines of known_hosts, or a whole
 * such file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT), with hashed names and with `@revoked` lines. Lines of other hosts and
 * keys of a type that cannot be checked here are left out where another is left.
 * @returns keys as type and base64, the best type first
 * @throws HostKeyError when none is left, saying why
 */
export function acceptedHostKeys(text: string, host: string, port: number): string[] {
  const names = port === 22 ? [host, `[${host}]:22`] : [`[${host}]:${port}`];
  const accepted = new Set<string>();
  const revoked = new Set<string>();
  const leftOut = new Set<string>();
  for (const [index, line] of text.split("\n").map((each, at) => [at, each.trim()] as const)) {
    if (line === "" || line.startsWith("#")) continue;
    const words = line.split(/\s+/);
    const marker = words[0]?.startsWith("@") ? words.shift() : undefined;
    const isBare = isKeyType(words[0]);
    const [patterns, type = "", blob = ""] = isBare ? [undefined, ...words] : words;
    // What another host's line holds is no concern of this one: it may be a key of SSH 1, or broken.
    if (patterns !== undefined && (isKeyType(type) || /^\d+$/.test(type)) && !matches(patterns, names)) {
      leftOut.add(`no line names ${names[0]}`);
      continue;
    }
    const key = publicKey(type, blob, index + 1);
    if (marker === "@revoked") revoked.add(key);
    else if (marker === "@cert-authority") leftOut.add("an authority of host certificates cannot be checked here");
    else if (!hostKeyTypes.some((known) => known === type)) leftOut.add(`a key of type ${type} cannot be checked here`);
    else accepted.add(key);
  }
  const left = [...accepted].filter((key) => !revoked.has(key));
  if (left.length > 0) return left.sort((a, b) => rank(a) - rank(b));
  const reasons = accepted.size > 0 ? ["every key is revoked"] : [...leftOut];
  throw new HostKeyError(
    `holds no host key to check ${host} by${reasons.length > 0 ? `: ${reasons.join("; ")}` : ""}; give the host's ed25519 or ecdsa key, such as \`ssh-ed25519 AAAA...\``,
  );
}

/** `SHA256:...` of a public key, as `ssh-keygen -l` prints it. */
export function hostKeyFingerprint(key: string | Buffer): string {
  const blob = typeof key === "string" ? Buffer.from(key.split(" ")[1] ?? "", "base64") : key;
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

/** A public key in the form of a server, as text: its type is the first field of it (RFC 4253, 6.6). */
export function hostKeyText(blob: Buffer): string {
  const length = blob.readUInt32BE(0);
  return `${blob.subarray(4, 4 + length).toString("latin1")} ${blob.toString("base64")}`;
}

function isKeyType(word: string | undefined): boolean {
  return word !== undefined && /^(ssh-|ecdsa-|sk-)[a-z0-9@.-]+$/.test(word);
}

/** @throws HostKeyError that repeats nothing: by mistake it may be a private key that stands here. */
function publicKey(type: string, blob: string, line: number): string {
  const bytes = Buffer.from(blob, "base64");
  if (!isKeyType(type) || !isWhole(bytes) || hostKeyText(bytes).split(" ")[0] !== type) {
    throw new HostKeyError(
      `is not a public host key${line > 1 ? ` in line ${line}` : ""}; write \`ssh-ed25519 AAAA...\`, or a line of known_hosts`,
    );
  }
  return `${type} ${bytes.toString("base64")}`;
}

/** Whether fields, each led by its length, fill the bytes. */
function isWhole(bytes: Buffer): boolean {
  let at = 0;
  while (at + 4 <= bytes.length) at += 4 + bytes.readUInt32BE(at);
  return at === bytes.length && at > 0;
}

function rank(key: string): number {
  return hostKeyTypes.findIndex((type) => key.startsWith(`${type} `));
}

/** Whether a names field of known_hosts stands for one of the names. */
function matches(field: string, names: readonly string[]): boolean {
  if (field.startsWith("|1|")) return names.some((name) => isHashOf(field, name));
  const patterns = field.split(",");
  const fits = (pattern: string) => names.some((name) => wildcard(pattern).test(name));
  if (patterns.some((pattern) => pattern.startsWith("!") && fits(pattern.slice(1)))) return false;
  return patterns.some((pattern) => !pattern.startsWith("!") && fits(pattern));
}

function isHashOf(field: string, name: string): boolean {
  const [, , salt = "", hash = ""] = field.split("|");
  return createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest("base64") === hash;
}

function wildcard(pattern: string): RegExp {
  const text = pattern
    .replace(/[\\^$.|()[\]{}+]/g, "\\$&")
    .replace(/\*/g, ".*")
    .replace(/\?/g, ".");
  return new RegExp(`^${text}$`, "i");
}
