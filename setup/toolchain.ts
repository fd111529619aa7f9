import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { cacheFolder } from "./cache.ts";
import { commandOutput, commandResult } from "./command.ts";
import { withLock } from "./lock.ts";
import { installedRelease } from "./pulumi-release.ts";

/** Where a Pulumi toolchain came from. */
export type ToolchainSource = "PATH" | "shared folder" | "official release";

/** A Pulumi CLI with its Node.js language host and the `command` plugin, ready to use. */
export interface Toolchain {
  source: ToolchainSource;
  /** The CLI's version, for example `3.259.0`. */
  version: string;
  /**
   * Set these on top of the environment of a `pulumi` process: PATH, PULUMI_HOME (a folder of ours in the cache, so that
   * the user's login and plugins stay untouched), PULUMI_SKIP_UPDATE_CHECK and PULUMI_IGNORE_AMBIENT_PLUGINS.
   */
  env: Record<string, string>;
}

/** Places that {@link pulumiToolchain} looks in; for its tests. */
export interface ToolchainPlaces {
  /** The environment whose PATH is looked through. @default that of this process */
  env?: NodeJS.ProcessEnv;
  /** @default {@link cacheFolder} */
  cache?: string;
  /** A folder with an `install` script that takes a target folder. @default `../shared/toolchain` beside the repository */
  shared?: string;
  /** The address that holds `v<version>/` folders of release files. @default Pulumi's own releases on GitHub */
  releases?: string;
}

/**
 * The oldest `pulumi` on PATH that is used, and the release that is installed where there is none: the one that this
 * repository's tests have run with. An older CLI is not known to fail; it has not been tried.
 */
export const pulumiVersion = "3.259.0";

/** The version of the `command` plugin: that of `@pulumi/command` in package.json. */
export const commandPluginVersion = "1.2.1";

const officialReleases = "https://github.com/pulumi/pulumi/releases/download";

/**
 * The Pulumi toolchain: a new enough `pulumi` on PATH that has its Node.js language host beside it, else the one of
 * `../shared/toolchain` where that exists, else the official release. What is installed goes into the cache, once; two
 * processes at once do it one after the other.
 *
 * @param progress - told of each step that takes time.
 * @throws Error that names the step that failed and the other ways to get a toolchain.
 */
export async function pulumiToolchain(
  progress: (line: string) => void,
  places: ToolchainPlaces = {},
): Promise<Toolchain> {
  const env = places.env ?? process.env;
  const folder = join(places.cache ?? cacheFolder(), "toolchain");
  mkdirSync(folder, { recursive: true });
  return withLock(
    join(folder, ".lock"),
    async () => {
      const { bin, home, source } =
        (await fromPath(env, folder)) ?? (await fromShared(places, folder, progress)) ?? (await fromRelease());
      const version = await versionOf(join(bin, "pulumi"));
      if (version === undefined) throw new Error(`${join(bin, "pulumi")} does not run: remove ${folder} and try again`);
      const toolchain: Toolchain = {
        source,
        version,
        env: {
          PATH: `${bin}${delimiter}${env.PATH ?? ""}`,
          PULUMI_HOME: home,
          PULUMI_SKIP_UPDATE_CHECK: "true",
          PULUMI_IGNORE_AMBIENT_PLUGINS: "true",
        },
      };
      await installCommandPlugin(toolchain, env, progress);
      return toolchain;
    },
    { onWait: ({ pid }) => progress(`process ${pid} is setting up the Pulumi toolchain: waiting for it`) },
  );

  async function fromRelease(): Promise<Found> {
    const target = join(folder, pulumiVersion);
    await installedRelease(places.releases ?? officialReleases, pulumiVersion, target, progress);
    return { bin: join(target, "bin"), home: target, source: "official release" };
  }
}

interface Found {
  bin: string;
  home: string;
  source: ToolchainSource;
}

async function fromPath(env: NodeJS.ProcessEnv, folder: string): Promise<Found | undefined> {
  for (const bin of (env.PATH ?? "").split(delimiter)) {
    if (!isAbsolute(bin) || !existsSync(join(bin, "pulumi"))) continue;
    if (!existsSync(join(bin, "pulumi-language-nodejs"))) continue;
    const version = await versionOf(join(bin, "pulumi"));
    if (version !== undefined && !isOlder(version, pulumiVersion)) {
      return { bin, home: join(folder, "home"), source: "PATH" };
    }
  }
  return undefined;
}

async function fromShared(
  places: ToolchainPlaces,
  folder: string,
  progress: (line: string) => void,
): Promise<Found | undefined> {
  const shared = places.shared ?? join(import.meta.dirname, "..", "..", "shared", "toolchain");
  const sums = join(shared, "SHA256SUMS");
  if (process.platform !== "linux" || process.arch !== "x64" || !existsSync(sums)) return undefined;
  const digest = createHash("sha256").update(readFileSync(sums)).digest("hex").slice(0, 12);
  const target = join(folder, `shared-${digest}`);
  const complete = join(target, ".complete");
  if (!existsSync(complete)) {
    progress("unpacking the Pulumi toolchain from ../shared/toolchain");
    await commandOutput("../shared/toolchain/install", ["bash", join(shared, "install"), target]);
    writeFileSync(complete, "");
  }
  return { bin: join(target, "bin"), home: target, source: "shared folder" };
}

async function installCommandPlugin(
  toolchain: Toolchain,
  env: NodeJS.ProcessEnv,
  progress: (line: string) => void,
): Promise<void> {
  const home = toolchain.env.PULUMI_HOME!;
  const plugin = join(home, "plugins", `resource-command-v${commandPluginVersion}`, "pulumi-resource-command");
  if (existsSync(plugin)) return;
  progress(`installing the Pulumi plugin command ${commandPluginVersion}`);
  mkdirSync(home, { recursive: true });
  await commandOutput(
    "pulumi plugin install",
    [
      join(toolchain.env.PATH!.split(delimiter)[0]!, "pulumi"),
      "plugin",
      "install",
      "resource",
      "command",
      commandPluginVersion,
    ],
    { env: { ...env, ...toolchain.env } },
  );
}

async function versionOf(pulumi: string): Promise<string | undefined> {
  const env = { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" };
  const asked = await commandResult([pulumi, "version"], { env, timeoutSec: 30 }).catch(() => undefined);
  return asked?.code === 0 ? /^v?(\d+\.\d+\.\d+)/.exec(asked.stdout.trim())?.[1] : undefined;
}

/** Whether the version `a` (`MAJOR.MINOR.PATCH`) comes before `b`. */
export function isOlder(a: string, b: string): boolean {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number));
  for (const index of [0, 1, 2]) {
    const difference = left![index]! - right![index]!;
    if (difference !== 0) return difference < 0;
  }
  return false;
}
