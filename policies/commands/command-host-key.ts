import { z } from "zod";
import { hostKeyFindings } from "../checks/host-key.ts";
import { exceptions } from "../exception.ts";
import { hostKeyPinned, isPinned } from "../host-key-pinned.ts";
import { rule } from "../rule.ts";

/** Requires that the SSH key of every machine is given that a command of the stack goes to. */
export const commandHostKey = rule({
  ...hostKeyPinned,
  config: z.strictObject({ except: exceptions }),
  resource: ({ type, props }) =>
    type.startsWith("command:remote:")
      ? hostKeyFindings({ hostKeyPinned: isPinned(props.connection) && isPinned(props.connection?.proxy) }).map(
          (finding) => ({ finding }),
        )
      : [],
});
