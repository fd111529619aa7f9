import type { AddressFamilyBucket } from "./facts.ts";
import { wordsBeforeFault } from "./value.ts";

/** An effective RestrictAddressFamilies=. `families` is what an allow list allows or a deny list denies. */
export interface AddressFamilies {
  readonly mode: "allow" | "deny";
  /** undefined: nothing is listed yet, so the next assignment decides the mode. */
  readonly families: ReadonlySet<string> | undefined;
}

export const anyAddressFamily: AddressFamilies = { mode: "deny", families: undefined };

const aliases: Readonly<Record<string, string>> = { AF_LOCAL: "AF_UNIX", AF_FILE: "AF_UNIX", AF_ROUTE: "AF_NETLINK" };

const buckets: Readonly<Record<string, AddressFamilyBucket>> = {
  AF_INET: "inet",
  AF_INET6: "inet",
  AF_UNIX: "unix",
  AF_NETLINK: "netlink",
  AF_PACKET: "packet",
};

const others: ReadonlySet<string> = new Set(
  [
    "ALG APPLETALK ASH ATMPVC ATMSVC AX25 BLUETOOTH BRIDGE CAIF CAN DECnet ECONET IB IEEE802154 IPX IRDA ISDN IUCV KCM",
    "KEY LLC MCTP MPLS NETBEUI NETROM NFC PHONET PPPOX QIPCRTR RDS ROSE RXRPC SECURITY SMC SNA TIPC VSOCK WANPIPE X25 XDP",
  ]
    .join(" ")
    .split(" ")
    .map((name) => `AF_${name}`),
);

/** The families after one more assignment. */
export function addressFamiliesAfter(value: string, before: AddressFamilies): AddressFamilies {
  if (value === "") return anyAddressFamily;
  if (value === "none") return { mode: "allow", families: undefined };
  const invert = value.startsWith("~");
  const mode = before.families === undefined ? (invert ? "deny" : "allow") : before.mode;
  const families = new Set(before.families);
  for (const word of wordsBeforeFault(invert ? value.slice(1) : value)) {
    const family = aliases[word] ?? word;
    if (!(family in buckets) && !others.has(family)) continue;
    if ((mode === "allow") === invert) families.delete(family);
    else families.add(family);
  }
  return { mode, families };
}

/** Whether a service can open sockets of a bucket of families, as systemd judges it. */
export function opensFamiliesOf(bucket: AddressFamilyBucket, { mode, families }: AddressFamilies): boolean {
  const listed = [...(families ?? [])].some((family) => (buckets[family] ?? "other") === bucket);
  return (mode === "allow") === listed;
}
