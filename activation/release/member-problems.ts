const linkDepth = 40;

/** One member of an archive as its list of contents tells it. */
export interface ListedMember {
  readonly path: string;
  readonly kind: "file" | "directory" | "link" | "hard link" | "other";
  /** Permission bits with set-uid, set-gid and sticky. */
  readonly mode: number;
  /** Where a link points. */
  readonly target: string;
}

/**
 * Why the members of an archive may not be unpacked, naming the first that is unsafe; undefined when all are safe. The host
 * judges once more by the same rules, before it unpacks anything.
 */
export function memberProblem(members: readonly ListedMember[]): string | undefined {
  const kinds = new Map<string, ListedMember["kind"]>();
  const links = new Map<string, string>();
  for (const member of members) {
    const reason = ownProblem(member, kinds);
    if (reason !== undefined) return `member ${JSON.stringify(member.path)} ${reason}`;
    const path = insidePath(member.path) ?? "";
    if (path === "") continue;
    kinds.set(path, member.kind === "hard link" ? "file" : member.kind);
    if (member.kind === "link") links.set(path, member.target);
  }
  for (const path of links.keys()) {
    const reason = linkProblem(path, links);
    if (reason !== undefined) return `member ${JSON.stringify(path)} ${reason}`;
  }
  return undefined;
}

function ownProblem(member: ListedMember, kinds: Map<string, ListedMember["kind"]>): string | undefined {
  const path = insidePath(member.path);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these are refused
  if (path === undefined || /[\x00-\x1f\x7f\ufffd]/.test(member.path)) {
    return "has a path that leaves the archive, or a control character in it; only relative paths without .. are accepted";
  }
  if (member.kind === "other") return "is a device, pipe or other special file";
  if (member.kind !== "link" && (member.mode & 0o6000) !== 0 && member.kind !== "directory") {
    return "has a set-uid or set-gid bit";
  }
  if (path === "")
    return member.kind === "directory" ? undefined : "stands for the archive's own top but is no directory";
  const there = kinds.get(path);
  if (there !== undefined && !(there === "directory" && member.kind === "directory")) return "is there twice";
  for (let parent = path; parent.includes("/"); ) {
    parent = parent.slice(0, parent.lastIndexOf("/"));
    const kind = kinds.get(parent);
    if (kind === undefined) kinds.set(parent, "directory");
    else if (kind !== "directory") return `lies under ${JSON.stringify(parent)}, which is no directory`;
  }
  if (member.kind === "hard link" && kinds.get(insidePath(member.target) ?? "") !== "file") {
    return `is a hard link to ${JSON.stringify(member.target)}, which is no earlier file of the archive`;
  }
  return undefined;
}

/** Why a symbolic link may not be shipped: its target, followed through the other links, leaves the tree. */
export function linkProblem(path: string, links: ReadonlyMap<string, string>): string | undefined {
  const target = links.get(path) ?? "";
  const waiting = path.split("/").reverse();
  const at: string[] = [];
  let hops = 0;
  const leaves = `is a link to ${JSON.stringify(target)}, which leaves the release; ship what it points to, or leave it out`;
  while (waiting.length > 0) {
    const part = waiting.pop() ?? "";
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (at.pop() === undefined) return leaves;
      continue;
    }
    const next = links.get([...at, part].join("/"));
    if (next === undefined) {
      at.push(part);
      continue;
    }
    hops += 1;
    if (next.startsWith("/") || hops > linkDepth) return leaves;
    waiting.push(...next.split("/").reverse());
  }
  return undefined;
}

/** `path` in normal form, or undefined when it is absolute or climbs with `..`. */
function insidePath(path: string): string | undefined {
  if (path.startsWith("/") || /^[A-Za-z]:|\\/.test(path)) return undefined;
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  return parts.includes("..") ? undefined : parts.join("/");
}
