import { parse } from "smol-toml";
import { z } from "zod";

const artifact = z.looseObject({ hash: z.string().optional() });
const lock = z.looseObject({
  package: z
    .array(
      z.looseObject({
        source: z.record(z.string(), z.unknown()).optional(),
        sdist: artifact.optional(),
        wheels: z.array(artifact).optional(),
      }),
    )
    .optional(),
});

/**
 * Whether a `uv.lock` has a hash for every file that it can install. It has none where the index gives none, and for packages
 * from a Git repository. A text that is no lock is told by uv, which reads it.
 */
export function hasAllHashes(content: string): boolean {
  let value: unknown;
  try {
    value = parse(content);
  } catch {
    return true;
  }
  const read = lock.safeParse(value);
  const packages = read.success ? (read.data.package ?? []) : [];
  return packages.every(({ source = {}, sdist, wheels = [] }) => {
    // The project itself, and what lies beside it, is not installed from a file with a hash.
    if ("virtual" in source || "editable" in source || "directory" in source) return true;
    const files = [...(sdist ? [sdist] : []), ...wheels];
    return files.length > 0 && files.every(({ hash }) => hash !== undefined);
  });
}
