import { parse } from "smol-toml";
import { z } from "zod";
import { ReleaseError } from "../release/error.ts";
import { argumentPath } from "./problem-path.ts";

const file = z.object({ hashes: z.record(z.string(), z.string()) });
const pylock = z.object({
  "lock-version": z.string().regex(/^1\./, "must be 1.x, the version that this library reads"),
  "requires-python": z.string().optional(),
  packages: z.array(
    z.object({
      name: z.string().regex(/^[A-Za-z0-9._-]+$/),
      version: z.string().optional(),
      marker: z.string().optional(),
      sdist: file.optional(),
      wheels: z.array(file).optional(),
      vcs: z.unknown().optional(),
      directory: z.unknown().optional(),
      archive: z.unknown().optional(),
    }),
  ),
});

/**
 * A `pylock.toml` (PEP 751) as a `requirements.txt` with hashes, which every pip and uv reads. Packages of extras and of
 * dependency groups are left out.
 * @throws ReleaseError naming what cannot be installed from an index
 */
export function pylockRequirements(name: string, text: string): string {
  let parsed: z.infer<typeof pylock>;
  try {
    parsed = pylock.parse(parse(text));
  } catch (error) {
    const reason =
      error instanceof z.ZodError
        ? error.issues.map((issue) => `${argumentPath(issue.path)}: ${issue.message}`).join("; ")
        : String(error instanceof Error ? error.message.split("\n")[0] : error);
    throw new ReleaseError(`${name} is no lock that can be read: ${reason}`);
  }
  const lines = parsed.packages.flatMap((locked) => {
    if (/\b(?:extras|dependency_groups)\b/.test(locked.marker ?? "")) return [];
    const hashes = [...(locked.sdist ? [locked.sdist] : []), ...(locked.wheels ?? [])]
      .flatMap(({ hashes: all }) => Object.entries(all).filter(([algorithm]) => algorithm === "sha256"))
      .map(([algorithm, digest]) => `--hash=${algorithm}:${digest}`);
    if (locked.version === undefined || hashes.length === 0) {
      throw new ReleaseError(
        `${name}: package ${locked.name} has no version and SHA-256 of an index's file (it comes from a folder, an archive or version control); build a wheel of it and lock that`,
      );
    }
    const marker = locked.marker === undefined ? "" : ` ; ${locked.marker}`;
    return [`${locked.name}==${locked.version}${marker} ${[...new Set(hashes)].sort().join(" ")}`];
  });
  return `${lines.join("\n")}\n`;
}
