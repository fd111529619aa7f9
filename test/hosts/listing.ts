import type { SandboxHost } from "../../sandbox/host.ts";

/** What lies at a path. Times are not in it. */
export interface Listed {
  /** As `find` has it: `f`, `d`, `l`, ... */
  readonly kind: string;
  /** Octal. */
  readonly mode: string;
  readonly owner: string;
  /** Target of a link, SHA-256 of a file, else empty. */
  readonly content: string;
}

/** What lies on a host, by path. */
export type Listing = ReadonlyMap<string, Listed>;

const roots = [
  "/etc",
  "/home",
  "/opt",
  "/root",
  "/srv",
  "/usr/lib/systemd",
  "/usr/local",
  "/var",
  "/run/pulumi-systemd",
];

/** Paths that come and go without the deployment's doing, or that it leaves on purpose; each with its reason. */
const leftOut: Readonly<Record<string, string>> = {
  "/var/log/*": "the journal goes on",
  "/var/tmp/systemd-private-*": "the PrivateTmp= of the system's own services",
  "/etc/.pwd.lock": "the lock of the system's account tools, which they never remove",
  "/etc/*-": "the copies that the account tools make of passwd, group, shadow and gshadow before each change",
  "/var/lib/private": "systemd makes it for the StateDirectory= of the first dynamic user",
  "/var/lib/systemd/random-seed": "the kernel's entropy, saved by the system",
  "/var/lib/systemd/timesync/*": "the clock, saved by the system",
};

/** In memory, these stay for the next run: another one may be waiting for the lock, or have kept a digest by the key. */
const staying = ["/run/pulumi-systemd", "/run/pulumi-systemd/lock", "/run/pulumi-systemd/digest-key"];

/**
 * All that a deployment may leave on a host.
 * @param data more folders to leave out, such as data directories (`StateDirectory=`), which a destroy keeps by design
 */
export async function listing(host: SandboxHost, data: readonly string[] = []): Promise<Listing> {
  const pruned = [...Object.keys(leftOut), ...data];
  const text = await host.output(
    `set -e -o pipefail
    there=(); for root in ${roots.join(" ")}; do [ ! -e $root ] || there+=($root); done
    chosen() { find "\${there[@]}" \\( -false ${pruned.map((path) => `-o -path '${path}'`).join(" ")} \\) -prune -o "$@"; }
    chosen -printf '%p\\t%y\\t%m\\t%u:%g\\t%l\\n'; echo; chosen -type f -print0 | xargs -0 sha256sum`,
  );
  const [entries = "", sums = ""] = text.split("\n\n");
  const digests = new Map(lines(sums).map((line) => [line.slice(66), line.slice(0, 64)]));
  const found = new Map<string, Listed>();
  for (const line of lines(entries)) {
    const [path = "", kind = "", mode = "", owner = "", target = ""] = line.split("\t");
    if (!staying.includes(path)) found.set(path, { kind, mode, owner, content: digests.get(path) ?? target });
  }
  return found;
}

/** One line for each path that differs: `new /a`, `gone /b`, `changed /c (content, mode)`. */
export function listingChanges(before: Listing, after: Listing): string[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths.flatMap((path) => {
    const [was, is] = [before.get(path), after.get(path)];
    if (was === undefined) return [`new ${path}`];
    if (is === undefined) return [`gone ${path}`];
    const differing = (["kind", "mode", "owner", "content"] as const).filter((fact) => was[fact] !== is[fact]);
    return differing.length > 0 ? [`changed ${path} (${differing.join(", ")})`] : [];
  });
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
