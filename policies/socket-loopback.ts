import { z } from "zod";
import { loopbackFindings } from "./checks/loopback.ts";
import { exceptions } from "./exception.ts";
import { rule } from "./rule.ts";

/** Requires that a socket listens on loopback, on a path, or on an address that the config names. */
export const socketLoopback = rule({
  name: "socket-loopback",
  displayName: "Sockets on loopback",
  description: "Checks that a socket which other machines can reach is meant to be reached.",
  severity: "high",
  tags: ["network"],
  framework: {
    name: "NIST SP 800-53",
    version: "Rev. 5",
    reference: "SC-7(5)",
    specification: "Deny by Default -- Allow by Exception",
  },
  remediationSteps:
    "Listen on 127.0.0.1:PORT behind a reverse proxy. A socket that is meant for other machines is named in this policy's config, or waived in its definition.",
  config: z.strictObject({
    addresses: z
      .array(z.string().min(1))
      .default([])
      .describe(
        "Addresses that pass besides, as they are written in Listen...=: 10.0.0.5:8000, or 443 for all addresses.",
      ),
    except: exceptions,
  }),
  unit: (unit, limits) =>
    unit.name.endsWith(".socket") ? loopbackFindings(unit, limits).map((finding) => ({ finding })) : [],
});
