import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../setup/cache.ts";
import { commandOutput } from "../setup/command.ts";
import { withLock } from "../setup/lock.ts";
import { pip } from "../setup/pip.ts";
import { type DebianRelease, debianReleases } from "./release.ts";

const platforms: Readonly<Record<string, string>> = { x64: "manylinux2014_x86_64", arm64: "manylinux2014_aarch64" };

/** Python of each release of Debian, as wheels name it. */
const pythons: Readonly<Record<DebianRelease, string>> = { bullseye: "39", bookworm: "311", trixie: "313" };

/**
 * A folder with the wheels of a lock for the Python of each release of Debian, in the cache; pip downloads them when it is not there.
 * @param requirements path of a requirements.txt that names every package with its version
 * @param releases those that it is for, all by default
 * @throws Error when the wheels can neither be found in the cache nor be downloaded
 */
export async function wheelhouse(
  requirements: string,
  log: (line: string) => void,
  releases: readonly DebianRelease[] = debianReleases,
): Promise<string> {
  const text = readFileSync(requirements, "utf8");
  const versions = releases.map((release) => pythons[release]);
  const digest = createHash("sha256").update(text).update(versions.join()).digest("hex").slice(0, 12);
  const folder = join(cacheFolder(), "wheelhouses");
  const made = join(folder, digest);
  if (existsSync(made)) return made;
  mkdirSync(folder, { recursive: true });
  await withLock(`${made}.lock`, async () => {
    if (existsSync(made)) return;
    log(`downloading the wheels of ${requirements} to ${made}`);
    const partial = `${made}.partial`;
    rmSync(partial, { recursive: true, force: true });
    mkdirSync(partial);
    const platform = platforms[process.arch];
    if (platform === undefined)
      throw new Error(`there is no set of wheels for ${process.arch}: only for x64 and arm64`);
    try {
      for (const python of versions) {
        // Without their dependencies: the lock names all, and pip judges markers by the Python that it runs on.
        const target = ["--no-deps", "--only-binary=:all:", "--python-version", python, "--platform", platform];
        const quiet = ["--quiet", "--disable-pip-version-check"];
        const command = [...(await pip(log)), "download", ...quiet, ...target, "--dest", partial, "-r", requirements];
        await commandOutput("pip download", command, { timeoutSec: 600 });
      }
      renameSync(partial, made);
    } finally {
      rmSync(partial, { recursive: true, force: true });
    }
  });
  return made;
}
