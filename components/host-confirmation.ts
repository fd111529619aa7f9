import * as pulumi from "@pulumi/pulumi";
import { asksForConfirmation } from "../activation/confirmation.ts";

/** More often than this a change is not made within one update: it was taken back in between. */
const mostSwitches = 2;

/**
 * What a Host's command does when the host has switched and waits to be confirmed: it runs once more, over a new connection,
 * and that is the confirmation. The command succeeds only then, so that the state never has what the host took back.
 * @param host of which `name` is told when the new connection cannot be made
 */
export function confirmationHandler(host: pulumi.Resource, name: string): pulumi.ErrorHookFunction {
  return async ({ errors }) => {
    const [latest = ""] = errors;
    const switches = errors.filter(asksForConfirmation).length;
    if (asksForConfirmation(latest)) return switches <= mostSwitches;
    if (switches > 0) await pulumi.log.error(`${name}: ${unconfirmed}`, host);
    return false;
  };
}

let hooks = 0;

/** Resource options under which an operation that failed is made once more when one of the handlers says so. */
export function retriedBy(name: string, handlers: readonly pulumi.ErrorHookFunction[]): pulumi.CustomResourceOptions {
  // The mocks of a program's unit tests have no hooks.
  const monitor: object = pulumi.runtime.getMonitor() ?? {};
  if (handlers.length === 0 || !("registerErrorHook" in monitor)) return {};
  hooks += 1;
  // Unique within the program, as the engine wants it.
  const hook = new pulumi.ErrorHook(`pulumi-systemd-${hooks}-${name}`, async (failure) => {
    for (const handler of handlers) if (await handler(failure)) return true;
    return false;
  });
  return { hooks: { onError: [hook] } };
}

const unconfirmed =
  "the change was made and passed its checks, and then was not confirmed over a new connection (the reason is told with the command). The host puts itself back on its previous state when the time for it (confirmSec) has passed; the state here is the previous one too. Next: mend what cut the connection, then run `pulumi up` again.";
