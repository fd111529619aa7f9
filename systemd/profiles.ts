import { type SandboxDirective, sandboxChoices, sandboxDirectives } from "./sandbox.ts";
import type { SectionDirectives } from "./sections.ts";

/** The names of the sandbox profiles, tightest first. */
export const sandboxProfileNames = ["strict", "network-client", "network-server", "trusted"] as const;
export type SandboxProfileName = (typeof sandboxProfileNames)[number];

/** A named sandbox: a set of directives for one kind of program. */
export interface SandboxProfileFacts {
  /** The programs that it is made for. */
  readonly purpose: string;
  /** What it can reach, and what can reach it. */
  readonly network: string;
  /** Its directives of [Service], each named once, in the order in which they are written. `User=` is not part of it. */
  readonly directives: readonly SandboxDirective[];
  /**
   * What `systemd-analyze security` says of a service that has nothing but these directives and `User=` of an account
   * that is not root: `exposureOf` for the systemd that a loaded service is scored by. From 0.0 (sealed) to 10.0 (open).
   */
  readonly exposure: number;
}

const withoutNetwork: readonly SandboxDirective[] = [
  {
    name: "PrivateNetwork",
    value: "yes",
    why: "it has a network of its own with nothing but an empty loopback: no host, not even this one, can be reached",
    mayBreak:
      "every connection and port that it opens itself, to and on 127.0.0.1 too: take connections from a socket unit, " +
      "speak to local programs over a unix socket in the file system, or use network-client",
    since: 187,
  },
  {
    name: "IPAddressDeny",
    value: "any",
    why: "should it come by a socket in another network all the same, no packet passes (where the kernel has BPF for it)",
    mayBreak: "nothing more than PrivateNetwork=: a socket that a socket unit hands over goes by that unit's own rules",
    since: 235,
  },
];

const localSocketsAlone: SandboxDirective = {
  name: "RestrictAddressFamilies",
  value: "AF_UNIX",
  why: "it opens no sockets but local ones, which logging, sd_notify and asyncio need",
  mayBreak: "the same as PrivateNetwork=, with another error; AF_NETLINK: psutil.net_if_addrs(), socket.if_nameindex()",
  since: 211,
};

const callsWithoutListen: SandboxDirective = {
  name: "SystemCallFilter",
  value: ["@system-service", "~@privileged @resources listen"],
  why: "of the kernel's calls it has those of ordinary services, but not listen(), so whoever takes it over opens no TCP port",
  mayBreak:
    "what network-server breaks, and listening, on unix sockets too: multiprocessing.Manager() and the start method " +
    'forkserver (the default since Python 3.14: choose "fork" or "spawn"), passing tensors between processes in PyTorch',
  since: 231,
};

const programsReadOnly: SandboxDirective = {
  name: "ProtectSystem",
  value: "full",
  why: "/usr, /boot, /efi and /etc are read-only",
  mayBreak: "writing there: use a directory under /var, /srv or /opt; with DynamicUser=yes the value is always strict",
  since: 214,
};

/**
 * What `trusted` keeps of the default sandbox. ProtectClock= is not among it, as the DeviceAllow= that it implies closes all
 * other devices; nor is what covers parts of /proc, as no user namespace may mount its own /proc then.
 */
const keptByTrusted: readonly string[] = [
  "NoNewPrivileges",
  "PrivateTmp",
  "PrivateMounts",
  "ProtectControlGroups",
  "ProtectHostname",
  "ProtectKernelModules",
  "RestrictSUIDSGID",
  "LockPersonality",
  "SystemCallArchitectures",
];

/**
 * The sandbox profiles. Those with a network differ in who begins a connection; `strict` has none; `trusted` is for
 * programs that the others break. Only PrivateIPC= of `strict` needs a systemd newer than 247.
 *
 * SocketBindDeny= would say better that a client does not listen, but needs BPF: Debian 12 is built without, and a host
 * without it passes over the line in silence.
 *
 * That Python programs run in them is proven on systemd 247, 252 and 257 by test/hosts/profiles.test.ts: FastAPI under
 * uvicorn, a Celery worker, numpy, ctypes with a callback, subprocess and multiprocessing.
 *
 * systemd.exec(5), systemd.resource-control(5).
 */
export const sandboxProfiles: Readonly<Record<SandboxProfileName, SandboxProfileFacts>> = {
  strict: {
    purpose: "computing on what it is given: batch jobs, converters, and servers whose connections a socket unit opens",
    network: "none of its own; unix sockets in the file system, and sockets that a socket unit hands to it",
    directives: [
      ...replaced(sandboxDirectives, localSocketsAlone),
      ...withoutNetwork,
      ...choices("MemoryDenyWriteExecute", "ProcSubset", "PrivateUsers", "PrivateIPC"),
    ],
    exposure: 0.2,
  },
  "network-client": {
    purpose: "programs that connect to others and listen on no port: queue workers, bots, exporters that push",
    network: "connections that it opens; no TCP port or unix socket that others connect to",
    directives: [...replaced(sandboxDirectives, callsWithoutListen), ...choices("PrivateUsers")],
    exposure: 1.1,
  },
  "network-server": {
    purpose: "programs that listen on a port of 1024 or more, and may connect to others",
    network: "connections that it opens, and ports that it listens on",
    directives: sandboxDirectives,
    exposure: 1.3,
  },
  trusted: {
    purpose:
      "programs that need hardware, sandboxes of their own, other users' processes, raw sockets or capabilities, and whose code you trust",
    network: "all that its user may",
    directives: [programsReadOnly, ...sandboxDirectives.filter(({ name }) => keptByTrusted.includes(name))],
    exposure: 7.6,
  },
};

/** What a profile is rendered for. */
export interface ProfileOptions {
  /**
   * Oldest systemd of the hosts; directives that it does not know are left out.
   *
   * @default 247, of Debian 11
   */
  readonly systemd?: number;
}

/** A profile as directives of [Service]. Anything that the user sets by name goes above it. */
export function profileSandbox(name: SandboxProfileName, { systemd = 247 }: ProfileOptions = {}): SectionDirectives {
  const known = sandboxProfiles[name].directives.filter(({ since }) => since <= systemd);
  return Object.fromEntries(known.map((directive) => [directive.name, directive.value]));
}

function replaced(directives: readonly SandboxDirective[], by: SandboxDirective): readonly SandboxDirective[] {
  return directives.map((directive) => (directive.name === by.name ? by : directive));
}

function choices(...names: readonly string[]): readonly SandboxDirective[] {
  return sandboxChoices.filter(({ name }) => names.includes(name));
}
