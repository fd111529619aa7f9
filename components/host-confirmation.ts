import * as pulumi from "@pulumi/pulumi";
import { asksForConfirmation } from "../activation/confirmation.ts";

/** More often than this a change is not made within one update: it was taken back in between. */
const mostSwitches = 2;

let hooks = 0;

/**
 * What a Host's command does when the host has switched and waits to be confirmed: it runs once more, over a new connection,
 * and that is the confirmation. The command succeeds only then, so that the state never has what the host took back.
 * @param host of which `name` is told when the new connection cannot be made
 */
export function confirmationHook(host: pulumi.Resource, name: string): pulumi.ErrorHook {
  hooks += 1;
  // Unique within the program, as the engine wants it.
  return new pulumi.ErrorHook(`pulumi-systemd-confirm-${hooks}-${name}`, async ({ errors }) => {
    const [latest = ""] = errors;
    const switches = errors.filter(asksForConfirmation).length;
    if (asksForConfirmation(latest)) return switches <= mostSwitches;
    if (switches > 0) await pulumi.log.error(`${name}: ${unconfirmed}`, host);
    return false;
  });
}

const unconfirmed =
  "the change was made and passed its checks, and then was not confirmed over a new connection (the reason is told with the command). The host puts itself back on its previous state when the time for it (confirmSec) has passed; the state here is the previous one too. Next: mend what cut the connection, then run `pulumi up` again.";
