import { utf8Length } from "../encodable-text.ts";
import { specifiersIn } from "../specifiers.ts";
import { parsedInteger } from "./integer.ts";
import { isIpv4, isIpv6, parsedPort } from "./network.ts";
import { pathProblem } from "./path.ts";
import { received, type ValueCheck, versionProblem } from "./value-check.ts";

const longestPath = 107;

/**
 * Why a value is no address of a listening socket: an absolute path or `@name` (up to 107 bytes), a port, `1.2.3.4:80`,
 * `[::1]:80`, `[fe80::1%eth0]:80`, `vsock:CID:PORT`. Host names are not looked up.
 */
export const socketAddressProblem: ValueCheck = (value, directive, systemd) => {
  if (/^[/@]/.test(value)) return pathAddressProblem(value);
  if (specifiersIn(value).length > 0) return undefined;
  const vsock = /^(vsock(?:-stream|-dgram|-seqpacket)?):(.*)$/.exec(value);
  if (vsock !== null) {
    const [, family = "", place = ""] = vsock;
    return vsockProblem(value, place) ?? versionProblem(family, family === "vsock" ? 0 : 254, systemd);
  }
  if (directive.name === "ListenSequentialPacket") {
    return `${received(value)} is no address for sequential packets; write a path, "@name" or vsock:CID:PORT`;
  }
  if (parsedPort(value) !== undefined) return undefined;
  const bracketed = /^\[([^\]%]+)(?:%[^\]]+)?\]:(.+)$/.exec(value);
  const plain = /^([^:]+):([^:]+)$/.exec(value);
  const [, address = "", port = ""] = bracketed ?? plain ?? [];
  const isAddress = bracketed !== null ? isIpv6(address) : plain !== null && isIpv4(address);
  if (isAddress && parsedPort(port) !== undefined) return undefined;
  return `${received(value)} is no socket address; ${accepted}${hint(value, address)}`;
};

/** Why a value is no name of a POSIX message queue: a slash and a name, without `..`. */
export const messageQueueProblem: ValueCheck = (value) => {
  if (value.startsWith("/")) return pathProblem(value);
  return specifiersIn(value).length > 0
    ? undefined
    : `${received(value)} is no message queue; write its name after a slash, as in "/jobs"`;
};

const accepted = 'write a path, "@name", a port from 1 to 65535, "1.2.3.4:80" or "[::1]:80"';

function pathAddressProblem(value: string): string | undefined {
  if (value === "@") return `${received(value)} has no name; ${accepted}`;
  if (specifiersIn(value).length > 0 || utf8Length(value) <= longestPath) return undefined;
  return `${received(value)} has ${utf8Length(value)} bytes; the path of a socket has at most ${longestPath}`;
}

function vsockProblem(value: string, place: string): string | undefined {
  const [context = "", port = "", ...rest] = place.split(":");
  const isPlace = rest.length === 0 && (context === "" || parsedInteger(context) !== undefined);
  if (isPlace && parsedInteger(port) !== undefined) return undefined;
  return `${received(value)} is no vsock address; write vsock:CID:PORT, as in "vsock:2:1234" or "vsock::1234"`;
}

function hint(value: string, address: string): string {
  const port = value.slice(value.lastIndexOf(":") + 1);
  if (address === "localhost") return `; did you mean "127.0.0.1:${port}"?`;
  if (address === "*") return `; did you mean "${port}"?`;
  if (isIpv6(value.slice(0, value.lastIndexOf(":"))) && parsedPort(port) !== undefined) {
    return `; did you mean "[${value.slice(0, value.lastIndexOf(":"))}]:${port}"?`;
  }
  if (/^["'].*["']$/.test(value)) return "; quotes are part of the value here, write it without them";
  return "";
}
