import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { ReleaseError } from "./error.ts";
import type { IgnoreRules } from "./ignore-rules.ts";
import { linkProblem } from "./member-problems.ts";
import type { ReleaseMember } from "./tar-writer.ts";

/**
 * Everything of a directory that its release ships, in the order of the archive: by name, in each directory.
 * A directory in which nothing is left is left out, as in Git: it is there on some machines only.
 * @param rules what is left out; undefined for nothing
 * @throws ReleaseError naming the first path that cannot be shipped
 */
export function sourceTree(directory: string, rules: IgnoreRules | undefined): ReleaseMember[] {
  const members = membersBelow(directory, "", rules);
  const links = new Map(members.flatMap((member) => (member.kind === "link" ? [[member.path, member.target]] : [])));
  for (const path of links.keys()) {
    const problem = linkProblem(path, links);
    if (problem !== undefined) throw new ReleaseError(`${join(directory, path)} ${problem}`);
  }
  return members;
}

function membersBelow(directory: string, below: string, rules: IgnoreRules | undefined): ReleaseMember[] {
  return readdirSync(join(directory, below), { withFileTypes: true })
    .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
    .flatMap((entry): ReleaseMember[] => {
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (rules?.ignores(path, entry.isDirectory())) return [];
      const file = join(directory, path);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these are refused
      if (/[\x00-\x1f\x7f\ufffd]/.test(entry.name)) {
        throw new ReleaseError(`${JSON.stringify(file)} has a control character or no UTF-8 in its name; rename it`);
      }
      if (entry.isDirectory()) {
        const members = membersBelow(directory, path, rules?.within(path));
        return members.length === 0 ? [] : [{ kind: "directory", path }, ...members];
      }
      if (entry.isSymbolicLink()) return [{ kind: "link", path, target: readlinkSync(file) }];
      const { mode, size } = lstatSync(file);
      if (!entry.isFile()) throw new ReleaseError(`${file} is a device, pipe or socket; take it out of the source`);
      if ((mode & 0o6000) !== 0)
        throw new ReleaseError(`${file} has a set-uid or set-gid bit; take it away (chmod ug-s)`);
      return [{ kind: "file", path, isExecutable: (mode & 0o100) !== 0, size, file }];
    });
}
