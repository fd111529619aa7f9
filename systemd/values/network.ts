import { specifiersIn } from "../specifiers.ts";
import { choiceProblem } from "./choice.ts";
import { integerProblem, parsedInteger } from "./integer.ts";
import { beginsWithSpecifier } from "./path.ts";
import { firstWordProblem, received, type ValueCheck } from "./value-check.ts";

const netlinkFamilies = [
  "route",
  "firewall",
  "inet-diag",
  "nflog",
  "xfrm",
  "selinux",
  "iscsi",
  "audit",
  "fib-lookup",
  "connector",
  "netfilter",
  "ip6-fw",
  "dnrtmsg",
  "kobject-uevent",
  "generic",
  "scsitransport",
  "ecryptfs",
  "rdma",
];

/** Whether a text is an IPv4 address of four decimal numbers without leading zeros. */
export function isIpv4(text: string): boolean {
  const numbers = text.split(".");
  return numbers.length === 4 && numbers.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

/** Whether a text is an IPv6 address without zone and brackets. */
export function isIpv6(text: string): boolean {
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  const last = groups.at(-1) ?? "";
  const hasIpv4 = last.includes(".");
  if (hasIpv4 && !(isIpv4(last) && text.endsWith(last))) return false;
  const plain = hasIpv4 ? groups.slice(0, -1) : groups;
  if (!plain.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return false;
  const count = plain.length + (hasIpv4 ? 2 : 0);
  return halves.length === 2 ? count < 8 : count === 8;
}

/** A port from 1 to 65535 as systemd reads it, or undefined. */
export function parsedPort(text: string): number | undefined {
  const port = parsedInteger(text);
  return port !== undefined && port >= 1n && port <= 65535n ? Number(port) : undefined;
}

/** Why a value is no list of addresses (`10.0.0.0/8`, `::1`) and `any`, `localhost`, `link-local`, `multicast`. */
export const ipPrefixesProblem: ValueCheck = (value) =>
  firstWordProblem(value, (word) => {
    if (["any", "localhost", "link-local", "multicast"].includes(word)) return undefined;
    const [address = "", bits, ...rest] = word.split("/");
    const most = isIpv4(address) ? 32 : isIpv6(address) ? 128 : -1;
    const length = bits === undefined ? 0 : /^\d+$/.test(bits) ? Number(bits) : Number.POSITIVE_INFINITY;
    if (most >= 0 && length <= most && rest.length === 0) return undefined;
    const hint = word.includes(",") ? "; they are separated by blanks" : "";
    return `${received(word)} is no address; write e.g. 10.0.0.0/8 or ::1, or any, localhost, link-local, multicast${hint}`;
  });

/** Why a text is no name of a network interface: 1 to 15 characters without blank, `/`, `:` and `%`, not only digits. */
export function interfaceNameProblem(name: string): string | undefined {
  const isName = /^[\x21-\x7e]{1,15}$/.test(name) && !/[/:%]/.test(name) && !/^(\.{1,2}|\d+)$/.test(name);
  return isName
    ? undefined
    : `${received(name)} is no name of a network interface; write 1 to 15 characters such as eth0`;
}

/** Why a value is no network interface; it may hold specifiers. */
export const networkInterfaceProblem: ValueCheck = (value) =>
  specifiersIn(value).length > 0 ? undefined : interfaceNameProblem(value);

/** Why a value is no list of network interfaces, each or the whole with a leading `~`; it has no specifiers. */
export const networkInterfacesProblem: ValueCheck = (value) =>
  firstWordProblem(value, (word) => (word === "~" ? undefined : interfaceNameProblem(word.replace(/^~/, ""))));

/** Why a value is no `[ipv4:|ipv6:][tcp:|udp:][port or range]`, and not `any`. */
export const socketBindProblem: ValueCheck = (value, _directive, systemd) => {
  const parts = value.split(":");
  if (parts[0] === "ipv4" || parts[0] === "ipv6") parts.shift();
  if (parts[0] === "tcp" || parts[0] === "udp") parts.shift();
  const isFamilyOnly = parts.length === 0;
  const [ports = "any", ...rest] = parts;
  if (rest.length === 0 && (isFamilyOnly || ports === "any" || isPortRange(ports, (systemd ?? 257) > 252 ? 0 : 1)))
    return undefined;
  return `${received(value)} is not what may be bound; write any, or [ipv4:|ipv6:][tcp:|udp:] and a port or range from 1 to 65535, as in "tcp:8000-8010"`;
};

/** Why a value is no netlink family with an optional multicast group. */
export const netlinkProblem: ValueCheck = (value) => {
  const [family = "", group, ...rest] = value.split(/[ \t]+/);
  if (beginsWithSpecifier(value)) return undefined;
  const isGroup =
    group === undefined || specifiersIn(group).length > 0 || integerProblem(group, 0, 0xffffffff) === undefined;
  if (rest.length > 0 || !isGroup) {
    return `${received(value)} is no netlink address; write a family and a group number, as in "kobject-uevent 1"`;
  }
  return parsedInteger(family) === undefined
    ? choiceProblem(family, netlinkFamilies)
    : integerProblem(family, 0, 0x7fffffff);
};

/** Why a value is no list of `source:family:table:set` for nftables. */
export const nftSetProblem: ValueCheck = (value) =>
  firstWordProblem(value, (word) => {
    const [source = "", family = "", table = "", set = "", ...rest] = word.split(":");
    const isSet =
      ["cgroup", "user", "group"].includes(source) &&
      ["arp", "bridge", "inet", "ip", "ip6", "netdev"].includes(family) &&
      rest.length === 0 &&
      [table, set].every((name) => name !== "");
    if (isSet) return undefined;
    return `${received(word)} is no firewall set; write cgroup, user or group, then the family, table and set, as in "cgroup:inet:filter:api"`;
  });

/** 252 refuses port 0, 257 takes it. */
function isPortRange(text: string, smallest: 0 | 1): boolean {
  const [first, last = first, ...rest] = text
    .split("-")
    .map((port) => (parsedInteger(port) === 0n ? 0 : (parsedPort(port) ?? -1)));
  return first !== undefined && last !== undefined && rest.length === 0 && first >= smallest && first <= last;
}
