import { commandResult } from "../setup/command.ts";
import type { Counts } from "./counts.ts";

/**
 * Runs the Python tests (`test_*.py`, unittest) of a folder and counts them. A run that ends without a result, for
 * example because a module does not load, has failed once at least.
 */
export async function pythonTestCounts(
  folder: string,
  filter: string | undefined,
  print: (line: string) => void,
): Promise<Counts> {
  const command = [
    "python3",
    "-m",
    "unittest",
    "discover",
    "-s",
    folder,
    ...(filter === undefined ? [] : ["-k", filter]),
  ];
  // Tests that find nothing to do but a bad name end with 5 from Python 3.12 on.
  const noTests = 5;
  const result = await commandResult(command, {
    timeoutSec: 300,
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" },
  });
  const counts = unittestCounts(result.stderr);
  const isBad = result.code !== 0 && !(filter !== undefined && result.code === noTests);
  if (counts === undefined || (isBad && counts.failed === 0)) {
    print(`FAILED ${folder}: unittest ended with exit code ${result.code}\n${result.stderr.trimEnd()}`);
    return { passed: counts?.passed ?? 0, failed: 1, skipped: counts?.skipped ?? 0 };
  }
  if (counts.failed > 0) print(`FAILED ${folder}\n${result.stderr.trimEnd()}`);
  if (filter === undefined && counts.passed + counts.failed + counts.skipped === 0) {
    print(`FAILED ${folder}: it holds no test`);
    return { ...counts, failed: 1 };
  }
  return counts;
}

/** The counts in the last lines of unittest's report, or undefined when it has none. */
export function unittestCounts(report: string): Counts | undefined {
  const ran = /^Ran (\d+) tests? in /m.exec(report);
  const ending = /^(?:OK|FAILED|NO TESTS RAN)(?: \(([^)]*)\))?\s*$/m.exec(report.slice(ran?.index ?? 0));
  if (ran === null || ending === null) return undefined;
  const named = new Map(
    (ending[1] ?? "").split(", ").map((part) => {
      const [name, count] = part.split("=");
      return [name!, Number(count)];
    }),
  );
  const failed = ["failures", "errors", "unexpected successes"].reduce((sum, name) => sum + (named.get(name) ?? 0), 0);
  const skipped = (named.get("skipped") ?? 0) + (named.get("expected failures") ?? 0);
  // A class that cannot be set up is an error beside the tests that ran.
  return { passed: Math.max(0, Number(ran[1]) - failed - skipped), failed, skipped };
}
