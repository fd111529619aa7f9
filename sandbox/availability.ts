import { spawnSync } from "node:child_process";
import { rootCommand, rootUnavailableReason } from "../setup/privileges.ts";

/** The Debian packages that the machine itself needs to run sandbox hosts. */
export const sandboxPackages = [
  "systemd-container",
  "mmdebstrap",
  "debian-archive-keyring",
  "openssh-client",
  "iproute2",
  "mount",
  "ca-certificates",
] as const;

/**
 * Why no sandbox host can be had on this machine, as one line, or undefined when one can. Missing packages are no
 * reason where apt can install them.
 */
export function sandboxUnavailableReason(): string | undefined {
  if (process.platform !== "linux")
    return `sandbox hosts need Linux with systemd-nspawn, and this is ${process.platform}`;
  if (spawnSync("apt-get", ["--version"], { stdio: "ignore" }).error !== undefined) {
    return "sandbox hosts need apt (Debian or Ubuntu) to install systemd-nspawn and mmdebstrap, and there is no apt-get";
  }
  const noRoot = rootUnavailableReason();
  if (noRoot !== undefined) return `sandbox hosts need root or sudo: ${noRoot}`;
  const [program, ...args] = rootCommand(["unshare", "--mount", "true"]);
  if (spawnSync(program!, args, { stdio: "ignore" }).status !== 0) {
    return "sandbox hosts need to mount, and root may not do that here (a container without that privilege?)";
  }
  return undefined;
}
