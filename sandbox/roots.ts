import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../setup/cache.ts";
import { commandOutput } from "../setup/command.ts";
import { withLock } from "../setup/lock.ts";
import { rootCommand } from "../setup/privileges.ts";
import { debianMirror } from "./mirror.ts";
import type { DebianRelease } from "./release.ts";

/** What python3 a root has: all of it, Debian's `python3-minimal` alone (part of the standard library), or none. */
export type PythonOnHost = "full" | "minimal" | "none";

/** What a Debian root holds. */
export interface RootOptions {
  release: DebianRelease;
  /** @default "full" */
  python?: PythonOnHost;
  /** Debian packages beside the usual ones; every set of them is a root of its own, built once. @default - none */
  packages?: readonly string[];
}

const usualPackages = [
  "systemd",
  "systemd-sysv",
  "libpam-systemd",
  "dbus",
  "openssh-server",
  "sudo",
  "iproute2",
  "procps",
  "curl",
  "ca-certificates",
  "redis-server",
];

const pythonPackages: Readonly<Record<PythonOnHost, readonly string[]>> = {
  full: ["python3", "python3-venv"],
  minimal: ["python3-minimal"],
  none: [],
};

const buildScript = join(import.meta.dirname, "scripts", "build-root.sh");

/** The packages that mmdebstrap is asked for, without what they bring along. */
export function rootPackages(options: RootOptions): string[] {
  const named = [...usualPackages, ...pythonPackages[options.python ?? "full"], ...(options.packages ?? [])];
  return [...new Set(named)].sort();
}

/**
 * The folder of the Debian root that the options describe, built now (about half a minute) when it is not in the cache.
 * It is never changed: hosts lay an overlay on it.
 *
 * @throws Error with the last lines of mmdebstrap when it cannot be built.
 */
export async function debianRoot(options: RootOptions, log: (line: string) => void): Promise<string> {
  const packages = rootPackages(options);
  const digest = createHash("sha256").update(readFileSync(buildScript)).update(packages.join(" ")).digest("hex");
  const folder = join(cacheFolder(), "roots");
  const name = `${options.release}-${digest.slice(0, 12)}`;
  const root = join(folder, name);
  if (existsSync(root)) return root;
  mkdirSync(folder, { recursive: true });
  await withLock(
    join(folder, `${name}.lock`),
    async () => {
      if (existsSync(root)) return;
      for (const left of readdirSync(folder).filter((entry) => entry.startsWith(`${name}.partial-`))) {
        await commandOutput("rm", rootCommand(["rm", "-rf", "--one-file-system", join(folder, left)]));
      }
      const started = Date.now();
      log(`building the Debian root ${name} (once, about half a minute)`);
      const partial = `${root}.partial-${process.pid}`;
      const mirror = debianMirror();
      await commandOutput(
        `building the Debian root for ${options.release} by mmdebstrap`,
        rootCommand([
          "bash",
          buildScript,
          options.release,
          partial,
          packages.join(","),
          ...(mirror === undefined ? [] : [mirror]),
        ]),
        { onLine: progressOf(log) },
      ).catch((error: unknown) => {
        const advice = "another mirror can be named by PULUMI_SYSTEMD_DEBIAN_MIRROR";
        throw new Error(`${error instanceof Error ? error.message : String(error)}\n${advice}`, { cause: error });
      });
      await commandOutput("mv", rootCommand(["mv", "--no-target-directory", partial, root]));
      log(`built ${name} in ${Math.round((Date.now() - started) / 1000)} s`);
    },
    { onWait: ({ pid }) => log(`process ${pid} is building the Debian root ${name}: waiting for it`) },
  );
  return root;
}

function progressOf(log: (line: string) => void): (line: string) => void {
  return (line) => {
    const step = /^I: (.*\.\.\.)$/.exec(line);
    if (step !== null) log(`  ${step[1]}`);
  };
}
