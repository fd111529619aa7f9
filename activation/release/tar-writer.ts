import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { Header, Pax } from "tar";
import { ReleaseError } from "./error.ts";

const block = 512;
const chunkBytes = 1 << 20;

/** One member of a release, without what differs between machines: owner, times, group and other modes. */
export type ReleaseMember =
  | { readonly kind: "directory"; readonly path: string }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  | {
      readonly kind: "file";
      readonly path: string;
      readonly isExecutable: boolean;
      readonly size: number;
      /** Where its content is on this machine. */
      readonly file: string;
    };

/**
 * Writes members as an uncompressed tar, the same bytes for the same members on any machine: no owner, no times, modes 0644,
 * 0755 and, for links, 0777. Memory does not grow with the content.
 * @param target file that must not be there yet
 * @returns SHA-256 of the archive in hex
 * @throws ReleaseError when a file changes while it is read
 */
export function writeTar(target: string, members: readonly ReleaseMember[]): string {
  const digest = createHash("sha256");
  const output = openSync(target, "wx", 0o600);
  const write = (data: Buffer) => {
    digest.update(data);
    for (let at = 0; at < data.length; ) at += writeSync(output, data, at);
  };
  try {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    for (const member of members) {
      write(headerOf(member));
      if (member.kind === "file") copyContent(member, chunk, write);
    }
    write(Buffer.alloc(2 * block));
  } finally {
    closeSync(output);
  }
  return digest.digest("hex");
}

function headerOf(member: ReleaseMember): Buffer {
  const data = {
    path: member.kind === "directory" ? `${member.path}/` : member.path,
    mode: member.kind === "link" ? 0o777 : member.kind === "directory" || member.isExecutable ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    size: member.kind === "file" ? member.size : 0,
    mtime: new Date(0),
    ...(member.kind === "link" ? { linkpath: member.target } : {}),
  };
  const header = new Header(data);
  header.type = member.kind === "directory" ? "Directory" : member.kind === "link" ? "SymbolicLink" : "File";
  const encoded = Buffer.alloc(block);
  const needsPax = header.encode(encoded);
  if (!needsPax) return encoded;
  const { path, size, linkpath } = data as { path: string; size: number; linkpath?: string };
  const extended = new Pax({
    path,
    mtime: data.mtime,
    ...(size > 0 ? { size } : {}),
    ...(linkpath ? { linkpath } : {}),
  });
  return Buffer.concat([extended.encode(), encoded]);
}

function copyContent(
  { path, file, size }: ReleaseMember & { kind: "file" },
  chunk: Buffer,
  write: (data: Buffer) => void,
): void {
  const input = openSync(file, "r");
  try {
    let left = size;
    for (;;) {
      const count = readSync(input, chunk, 0, chunk.length, null);
      if (count === 0) break;
      left -= count;
      if (left < 0) break;
      write(chunk.subarray(0, count));
    }
    if (left !== 0) throw new ReleaseError(`${path} changed while it was read; try again when nothing writes there`);
  } finally {
    closeSync(input);
  }
  write(Buffer.alloc((block - (size % block)) % block));
}
