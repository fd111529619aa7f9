import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/**
 * The folder for what set-up downloads and builds: Pulumi's tools, Debian roots, sandbox hosts. It lies outside the
 * work tree, so that a fresh clone finds it again, and may be deleted at any time when no sandbox host is up.
 *
 * `$XDG_CACHE_HOME/pulumi-systemd`, by default `~/.cache/pulumi-systemd`. A relative `XDG_CACHE_HOME` is ignored, as
 * the XDG base directory specification asks.
 */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const base = env.XDG_CACHE_HOME;
  return join(base !== undefined && isAbsolute(base) ? base : join(homedir(), ".cache"), "pulumi-systemd");
}
