import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "./cache.ts";
import { commandOutput, commandResult } from "./command.ts";
import { withLock } from "./lock.ts";
import { rootCommand, rootUnavailableReason } from "./privileges.ts";

/**
 * Installs those of the Debian packages that are missing; with none missing nothing is asked of the network, and
 * neither root nor sudo is needed.
 *
 * @param purpose - what they are for, as the end of a sentence: "the sandbox hosts".
 * @param log - told what is being installed.
 * @throws Error when something is missing and there is no apt, or neither root nor sudo, or apt-get fails.
 */
export async function installAptPackages(
  packages: readonly string[],
  purpose: string,
  log: (line: string) => void,
): Promise<void> {
  if ((await missingPackages(packages)).length === 0) return;
  const reason = rootUnavailableReason();
  if (reason !== undefined) {
    const missing = (await missingPackages(packages)).join(" ");
    throw new Error(`${purpose} need the packages ${missing}: ${reason}`);
  }
  await mkdir(cacheFolder(), { recursive: true });
  await withLock(join(cacheFolder(), "apt.lock"), async () => {
    const missing = await missingPackages(packages);
    if (missing.length === 0) return;
    log(`installing with apt: ${missing.join(" ")}`);
    await commandOutput("apt-get update", aptGet("update"));
    await commandOutput("apt-get install", aptGet("install", "--yes", "--no-install-recommends", ...missing));
  });
}

/**
 * Those of the packages that are not installed, in the order given.
 *
 * @throws Error where there is no dpkg, so that nothing can be told.
 */
export async function missingPackages(packages: readonly string[]): Promise<string[]> {
  const query = await commandResult(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\\n", ...packages]).catch(
    () => {
      throw new Error(
        `the packages ${packages.join(" ")} can be installed only where there is apt (Debian, Ubuntu): there is no dpkg-query here`,
      );
    },
  );
  const installed = new Set(
    query.stdout.split("\n").flatMap((line) => {
      const [name, status] = line.split(" ");
      return name !== undefined && status === "installed" ? [name] : [];
    }),
  );
  return packages.filter((name) => !installed.has(name));
}

function aptGet(...args: string[]): string[] {
  return rootCommand(["apt-get", "--quiet", "-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0", ...args], {
    DEBIAN_FRONTEND: "noninteractive",
  });
}
