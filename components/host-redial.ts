import { setTimeout as sleep } from "node:timers/promises";
import type * as pulumi from "@pulumi/pulumi";
import { knownValue } from "./output-value.ts";

/** Milliseconds before the first further dial; each next one waits half as long again, up to the longest. */
const firstWait = 400;
const longestWait = 5_000;

/**
 * Dials a host behind a bastion once more when that may help: the host is about to boot, or its sshd had too many logins at
 * once. The provider itself would log in again over the connection that has just failed, which at best hangs.
 * @param tries dials that may fail and are made again
 */
export function redialHandler(tries: pulumi.Output<number>): pulumi.ErrorHookFunction {
  return async ({ errors }) => {
    const [latest = ""] = errors;
    const failed = errors.filter(mayPass).length;
    if (!mayPass(latest) || failed > ((await knownValue(tries)) ?? 0)) return false;
    const wait = Math.min(firstWait * 1.5 ** (failed - 1), longestWait);
    // Hosts that failed together come back one by one.
    await sleep(wait * (0.5 + Math.random()));
    return true;
  };
}

/** Whether an error of a dial behind a bastion is of a kind that passes by itself: nothing of it was sent to the host yet. */
export function mayPass(error: string): boolean {
  return (
    /proxy: after 0 failed attempts: ssh: rejected: connect failed \((Connection refused|No route to host)\)/.test(
      error,
    ) || /proxy: after 0 failed attempts: ssh: handshake failed: (EOF|.*connection reset by peer)/.test(error)
  );
}
