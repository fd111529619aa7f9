import { spawnSync } from "node:child_process";

/** Why commands cannot be run as root here, or undefined when they can: by being root, or by `sudo`. */
export function rootUnavailableReason(): string | undefined {
  if (process.getuid?.() === 0) return undefined;
  const sudo = spawnSync("sudo", ["-n", "true"], { stdio: "ignore" });
  if (sudo.error !== undefined) return "this user is not root, and there is no sudo";
  if (sudo.status === 0) return undefined;
  if (process.stdin.isTTY) {
    const asked = spawnSync("sudo", ["-v", "-p", "sudo password of %p, to set up the sandbox: "], { stdio: "inherit" });
    if (asked.status === 0) return undefined;
  }
  return "this user is not root, and sudo asks for a password (`sudo -v` first, or run as root)";
}

/** The command that runs `command` as root: itself for root, else prefixed with `sudo`. */
export function rootCommand(command: readonly string[], env: Record<string, string> = {}): string[] {
  const assignments = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const withEnv = assignments.length === 0 ? [...command] : ["env", ...assignments, ...command];
  return process.getuid?.() === 0 ? withEnv : ["sudo", "-n", "--", ...withEnv];
}
