import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { type Counts, totalCounts } from "./counts.ts";
import { type NodeTestOptions, nodeTestRun } from "./node-tests.ts";

/** What {@link groupedTestCounts} runs. */
export interface GroupedTestOptions extends Omit<NodeTestOptions, "files"> {
  /** Test files, absolute; each group is one process. Files that change what others see stand alone. */
  groups: readonly (readonly string[])[];
}

/**
 * `nodeTestCounts` with several files in one process, which spares most of the time of small tests: starting Node.
 *
 * A group whose process does not end well is run again with a process for each file, so that the file that died is
 * counted as failed and named. If none fails alone, the group itself has failed.
 */
export async function groupedTestCounts({ groups, ...options }: GroupedTestOptions): Promise<Counts> {
  const folder = mkdtempSync(join(tmpdir(), "test-groups-"));
  try {
    const members = new Map(groups.map((files, index) => [groupFile(folder, index, files), files]));
    const run = await nodeTestRun({ ...options, files: [...members.keys()], leaveFiles: true });
    const countsOf = (files: readonly string[]) => totalCounts(files.flatMap((file) => run.counts.get(file) ?? []));
    const all: Counts[] = [];
    for (const [group, files] of members) {
      const end = run.ends.get(group);
      const silent = options.filter === undefined ? files.filter((file) => !run.counts.has(file)) : [];
      if (end === undefined && silent.length === 0) {
        all.push(countsOf(files));
        continue;
      }
      const alone = await nodeTestRun({ ...options, files });
      const counts = totalCounts([...alone.counts.values()]);
      if (counts.failed === 0) {
        const names = files.map((file) => relative(process.cwd(), file)).join(", ");
        const why = end ?? `no test of ${silent.map((file) => basename(file)).join(", ")} ran`;
        options.print(`FAILED ${names} in one process, though not alone\n  ${why}`);
        counts.failed += 1;
      }
      all.push(counts);
    }
    return totalCounts(all);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A file that stands for the group: one file itself, more by a file that imports them. */
function groupFile(folder: string, index: number, files: readonly string[]): string {
  const [only] = files;
  if (only !== undefined && files.length === 1) return only;
  const path = join(folder, `group-${index}.mjs`);
  writeFileSync(path, files.map((file) => `await import(${JSON.stringify(pathToFileURL(file).href)});\n`).join(""));
  return path;
}
