import type { CheckedUnit } from "../checked-unit.ts";
import type { Finding } from "./finding.ts";
import { assignments } from "./service-directives.ts";

const directives = ["ListenStream", "ListenDatagram", "ListenSequentialPacket"] as const;

/** What `loopbackFindings` accepts besides loopback and local sockets. */
export interface LoopbackLimits {
  /** Addresses as they are written in Listen...=, `10.0.0.5:8000`. */
  readonly addresses: readonly string[];
}

/** A socket unit that other machines can reach. Follows systemd.socket(5). */
export function loopbackFindings({ model }: CheckedUnit, { addresses }: LoopbackLimits): readonly Finding[] {
  return directives.flatMap((directive) => {
    const all = assignments(model, directive, "Socket");
    return all
      .slice(all.lastIndexOf("") + 1)
      .filter((address) => !addresses.includes(address) && isReachable(address))
      .map((address) => ({
        found: `[Socket] ${directive}=${address}`,
        wanted: "127.0.0.1, [::1], a path, or an address that the config names",
        why: `${whoReaches(address)} can connect to it`,
      }));
  });
}

/** Whether a packet from another machine can arrive there. */
function isReachable(address: string): boolean {
  if (/^[/@]/.test(address) || address.startsWith("vsock:")) return false;
  const host = hostPart(address);
  return !/^127\./.test(host) && host !== "::1" && host !== "0:0:0:0:0:0:0:1";
}

/** The address without its port; "" for a port alone. */
function hostPart(address: string): string {
  const bracketed = /^\[([^\]]+)\]/.exec(address)?.[1];
  if (bracketed !== undefined) return bracketed;
  return address.slice(0, Math.max(0, address.lastIndexOf(":")));
}

function whoReaches(address: string): string {
  const host = hostPart(address);
  return ["", "0.0.0.0", "::"].includes(host)
    ? "every machine that reaches the host"
    : `every machine that reaches ${host}`;
}
