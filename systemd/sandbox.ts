import type { SectionDirectives } from "./sections.ts";

/** One directive of a sandbox, with what a reviewer must know of it. */
export interface SandboxDirective {
  /** Name in [Service]. */
  readonly name: string;
  /** A list is assigned line by line. */
  readonly value: string | readonly string[];
  /** What the service can no longer do. */
  readonly why: string;
  /** What stops working for a program that needs it, and the way out. */
  readonly mayBreak: string;
  /** First systemd that knows the directive with this value. */
  readonly since: number;
}

/** What a sandbox is made for. */
export interface SandboxOptions {
  /**
   * Oldest systemd of the hosts; directives that it does not know are left out.
   *
   * @default 247, of Debian 11
   */
  readonly systemd?: number;
  /** Names from `sandboxChoices` to add. */
  readonly also?: readonly string[];
}

/**
 * The default sandbox of a Python network service that runs as a user of its own (`User=` is not part of it). It leaves
 * alone what Flask, asyncio, ctypes with callbacks, subprocess, multiprocessing and threading need (tried on systemd 247,
 * 252 and 257).
 *
 * systemd.exec(5), systemd.resource-control(5).
 */
export const sandboxDirectives: readonly SandboxDirective[] = [
  {
    name: "NoNewPrivileges",
    value: "yes",
    why: "no program that it starts gains privileges by a set-user-ID bit or file capabilities",
    mayBreak: "sudo, su, ping and other set-user-ID programs",
    since: 187,
  },
  {
    name: "ProtectSystem",
    value: "strict",
    why: "the whole file system is read-only, except for /dev, /proc, /sys and its own directories",
    mayBreak: "writing elsewhere: give it StateDirectory=, CacheDirectory=, LogsDirectory= or ReadWritePaths=",
    since: 232,
  },
  {
    name: "ProtectHome",
    value: "yes",
    why: "/home, /root and /run/user look empty",
    mayBreak: "code, data or dot files in a home directory: keep them in /opt, /srv or StateDirectory=",
    since: 214,
  },
  {
    name: "PrivateTmp",
    value: "yes",
    why: "it has a /tmp and /var/tmp of its own, which are removed when it stops",
    mayBreak: "files and sockets in /tmp that are meant for other programs: use RuntimeDirectory=",
    since: 183,
  },
  {
    name: "PrivateDevices",
    value: "yes",
    why: "/dev has only pseudo devices such as null, zero and urandom, and shm",
    mayBreak:
      "GPUs, serial ports, FUSE and other hardware: PrivateDevices=no with DevicePolicy=closed and DeviceAllow=",
    since: 209,
  },
  {
    name: "PrivateMounts",
    value: "yes",
    why: "mounts that it makes stay its own",
    mayBreak: "nothing in a service that does not mount for others",
    since: 239,
  },
  {
    name: "ProtectClock",
    value: "yes",
    why: "it cannot set the clock",
    mayBreak: "time synchronisation daemons",
    since: 245,
  },
  {
    name: "ProtectControlGroups",
    value: "yes",
    why: "/sys/fs/cgroup is read-only",
    mayBreak: "container runtimes",
    since: 232,
  },
  {
    name: "ProtectHostname",
    value: "yes",
    why: "it cannot change the host name",
    mayBreak: "programs that must notice a change of the host name while they run",
    since: 242,
  },
  {
    name: "ProtectKernelLogs",
    value: "yes",
    why: "it cannot read or clear the kernel log",
    mayBreak: "log collectors that read /dev/kmsg",
    since: 244,
  },
  {
    name: "ProtectKernelModules",
    value: "yes",
    why: "it cannot load kernel modules, nor read /usr/lib/modules",
    mayBreak: "programs that load their own module",
    since: 232,
  },
  {
    name: "ProtectKernelTunables",
    value: "yes",
    why: "/proc/sys and /sys are read-only",
    mayBreak: "sysctl, and programs that switch hardware through /sys",
    since: 232,
  },
  {
    name: "ProtectProc",
    value: "invisible",
    why: "/proc shows only processes of its own user",
    mayBreak: "monitoring of other users' processes, for example with psutil",
    since: 247,
  },
  {
    name: "RestrictAddressFamilies",
    value: "AF_UNIX AF_INET AF_INET6",
    why: "it opens no sockets but local and internet ones",
    mayBreak: "AF_NETLINK: psutil.net_if_addrs(), socket.if_nameindex(), pyroute2; AF_VSOCK; AF_BLUETOOTH; AF_ALG",
    since: 211,
  },
  {
    name: "RestrictNamespaces",
    value: "yes",
    why: "it creates no namespaces, the beginning of many attacks on the kernel",
    mayBreak: "bubblewrap, rootless containers, the sandbox of Chromium (playwright, selenium)",
    since: 233,
  },
  {
    name: "RestrictRealtime",
    value: "yes",
    why: "it cannot take realtime priority and starve the host",
    mayBreak: "audio and control loops with realtime threads",
    since: 231,
  },
  {
    name: "RestrictSUIDSGID",
    value: "yes",
    why: "it cannot leave set-user-ID programs behind for others to run",
    mayBreak: "unpacking archives with such bits, directories with the set-group-ID bit",
    since: 242,
  },
  {
    name: "LockPersonality",
    value: "yes",
    why: "rarely used, little tested kernel interfaces stay closed",
    mayBreak: "programs that run others under setarch",
    since: 235,
  },
  {
    name: "CapabilityBoundingSet",
    value: "",
    why: "no process of it can hold a capability",
    mayBreak:
      "ports below 1024 opened by the service itself: use a socket unit, or set this and AmbientCapabilities= to CAP_NET_BIND_SERVICE",
    since: 187,
  },
  {
    name: "SystemCallFilter",
    value: ["@system-service", "~@privileged @resources"],
    why: "of the kernel's calls it has those of ordinary services, none for privileged work, none to raise its priority",
    mayBreak:
      "os.chown() (gunicorn does so for a unix socket: use a socket unit), os.nice(), os.sched_setaffinity(), ptrace (py-spy); " +
      "allow a group again with a further line such as SystemCallFilter=@chown",
    since: 231,
  },
  {
    name: "SystemCallErrorNumber",
    value: "EPERM",
    why: "a call that is not allowed raises PermissionError, which Python programs handle and log; without it the kernel kills them",
    mayBreak: "nothing: it makes the filter milder",
    since: 209,
  },
  {
    name: "SystemCallArchitectures",
    value: "native",
    why: "calls of foreign ABIs (32-bit on a 64-bit host), which would pass by the filter, are not possible",
    mayBreak: "32-bit programs",
    since: 209,
  },
  {
    name: "UMask",
    value: "0077",
    why: "files that it creates are its own only",
    mayBreak: "files and sockets that another user, such as a web server, must open: use UMask=0007 and a common group",
    since: 187,
  },
  {
    name: "RemoveIPC",
    value: "yes",
    why: "shared memory and queues of its user go when the last service of that user stops",
    mayBreak: "IPC objects that must outlive the service, or a user that also logs in",
    since: 232,
  },
];

/** Stricter directives that break too much to be a default; add them by name with `SandboxOptions.also`. */
export const sandboxChoices: readonly SandboxDirective[] = [
  {
    name: "MemoryDenyWriteExecute",
    value: "yes",
    why: "no memory can be both written and executed, so injected code does not run",
    mayBreak: "JIT compilers (numba, PyPy, LuaJIT); ctypes callbacks go on working (tried on Debian 11, 12, 13)",
    since: 231,
  },
  {
    name: "ProcSubset",
    value: "pid",
    why: "/proc has only processes",
    mayBreak: "psutil, and all else that reads /proc/meminfo, /proc/stat, /proc/sys; on Debian 11 os.getloadavg()",
    since: 247,
  },
  {
    name: "PrivateUsers",
    value: "yes",
    why: "it sees no users but root and its own, and its root is not the host's",
    mayBreak:
      "hosts without user namespaces (some containers), and CAP_NET_BIND_SERVICE, which counts in its namespace only",
    since: 232,
  },
  {
    name: "PrivateIPC",
    value: "yes",
    why: "System V IPC objects and POSIX message queues are its own",
    mayBreak: "such objects shared with another service",
    since: 248,
  },
];

/** Of the default sandbox, what a probe that runs as root does without. */
const notForRoot: readonly string[] = ["RemoveIPC"];

/**
 * The default sandbox of a Python network service as directives of [Service]. Anything that the user sets by name goes
 * above it. With `User=` set, `exposureOf` gives such a service 1.3.
 *
 * @throws {RangeError} if `also` names a directive that is not in `sandboxChoices`.
 */
export function serviceSandbox(options: SandboxOptions = {}): SectionDirectives {
  return sectionOf([...sandboxDirectives, ...choicesNamed(options.also ?? [])], options);
}

/**
 * The sandbox of a short program that must run as root to command systemd, such as a health probe that restarts a unit
 * when it finds it ill.
 *
 * Root without capabilities is enough for `systemctl`: it speaks to systemd over the local socket /run/systemd/private,
 * and systemd goes by the user ID of the caller. It is the service's sandbox in all else; the probe can ask over the
 * network, but reads no file that root's own permission bits do not open (CAP_DAC_OVERRIDE is gone, so directories of
 * other users with mode 0700 stay closed).
 *
 * @throws {RangeError} if `also` names a directive that is not in `sandboxChoices`.
 */
export function rootProbeSandbox(options: SandboxOptions = {}): SectionDirectives {
  const directives = sandboxDirectives.filter(({ name }) => !notForRoot.includes(name));
  return sectionOf([...directives, ...choicesNamed(options.also ?? [])], options);
}

function choicesNamed(names: readonly string[]): readonly SandboxDirective[] {
  return names.map((name) => {
    const choice = sandboxChoices.find((directive) => directive.name === name);
    if (choice !== undefined) return choice;
    const accepted = sandboxChoices.map((directive) => directive.name).join(", ");
    throw new RangeError(`sandbox option "also": ${JSON.stringify(name)} is no choice; accepted is ${accepted}`);
  });
}

function sectionOf(directives: readonly SandboxDirective[], { systemd = 247 }: SandboxOptions): SectionDirectives {
  return Object.fromEntries(directives.filter(({ since }) => since <= systemd).map(({ name, value }) => [name, value]));
}
