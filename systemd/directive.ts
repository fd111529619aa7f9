/**
 * The grammars of directive values, each with what it takes in a few words. A directive's `kind` is a key of this table;
 * `values/` has one check for each.
 */
export const directiveKinds = {
  "absolute-path": "an absolute path",
  "absolute-paths": "absolute paths, separated by blanks",
  "address-families": "socket families such as AF_INET AF_UNIX, with a leading ~ for all others, or none",
  architectures: "architectures such as native or x86-64",
  base64: "base64 data",
  "bind-paths": "words of the form source[:destination[:options]]",
  boolean: "yes or no",
  "bpf-program": "an attach type and an absolute path, with a colon between",
  "bus-name": "a D-Bus name such as org.example.Api",
  bytes: "a size in bytes such as 64K or 1M",
  calendar: "a calendar expression such as *-*-* 03:00:00",
  capabilities: "capabilities such as CAP_NET_BIND_SERVICE, with a leading ~ for all others",
  command: "a command line: an absolute path or a program name, then its arguments",
  "condition-boolean": "yes or no, after an optional | and !",
  "condition-path": "an absolute path, after an optional | and !",
  "condition-string": "text, after an optional | and !",
  "control-group-name": "the name of a control group",
  controllers: "control group controllers such as cpu memory io",
  "coredump-filter": "kinds of memory such as private-anonymous, default or all, or a hexadecimal mask",
  "cpu-quota": "a percentage such as 50% or 200%",
  "cpu-set": "numbers and ranges such as 0-3 or 0,2",
  "cpu-weight": "a weight from 1 to 10000, or idle",
  "credential-path": "a name, then optionally a colon and a path",
  "credential-pattern": "the name of a credential, or a pattern that ends in *",
  "credential-value": "a name, a colon and a text",
  delegate: "yes, no, or control group controllers such as cpu memory",
  "descriptor-name": "a name without a colon, at most 255 characters",
  "device-access": "a device such as /dev/null or char-pts, then r, w and m as needed",
  "device-bytes": "an absolute path and a size such as 10M",
  "device-operations": "an absolute path and a number such as 1000",
  "device-time-span": "an absolute path and a time span such as 25ms",
  "device-weight": "an absolute path and a weight from 1 to 10000",
  "directory-names": "relative paths, separated by blanks",
  enum: "one of a few words",
  environment: "NAME=value words, each in quotes where the value has blanks",
  "environment-file": "an absolute path, after an optional -",
  "environment-names": "names of variables, separated by blanks",
  "environment-removals": "names of variables, or NAME=value words",
  errno: "an error name such as EPERM, a number from 1 to 4095, or kill",
  "escaped-text": "text with C escapes such as \\n",
  "exit-statuses": "exit statuses from 0 to 255, their names, or signals, separated by blanks",
  "extension-images": "words of the form source[:options]",
  "file-systems": "file system types or groups such as @basic-api, with a leading ~ for all others",
  "image-options": "mount options, or words of the form partition:options",
  "image-policy": "an image policy such as root=verity+signed",
  instance: "the instance part of a unit name",
  integer: "a whole number",
  "ip-prefixes": "addresses such as 10.0.0.0/8 or ::1, or any, localhost, link-local, multicast",
  "journal-fields": "FIELD=value words",
  "log-namespace": "the name of a journal namespace",
  "log-pattern": "a regular expression, with a leading ~ to drop what matches",
  "memory-size": "a size in bytes such as 512M, a percentage such as 25%, or infinity",
  "message-queue": "a name of the form /name",
  mode: "an octal mode such as 0750",
  "mount-images": "words of the form source:destination[:options]",
  namespaces: "yes, no, or kinds of namespaces such as user net, with a leading ~ for all others",
  nanoseconds: "a time span whose bare number is nanoseconds, such as 50us",
  netlink: "a netlink family and optionally a multicast group, such as kobject-uevent 1",
  "network-interface": "the name of a network interface",
  "network-interfaces": "names of network interfaces, with a leading ~ for all others",
  "nft-set": "words of the form cgroup:inet:table:set",
  obsolete: "anything; it is ignored",
  "open-file": "an absolute path, then optionally a name and options after colons",
  percent: "a percentage from 0% to 100%",
  personality: "an architecture such as x86-64",
  "pid-file": "a path; a relative one is below /run",
  "reboot-argument": "ASCII text of at most 255 characters",
  "resource-limit": "a limit, or a soft and a hard limit with a colon between, or infinity",
  "root-hash": "hexadecimal digits, or an absolute path",
  "root-hash-signature": "base64: and data, or an absolute path",
  "sandbox-paths": "absolute paths, separated by blanks, each after an optional - and +",
  "search-path": "absolute paths, separated by colons",
  "secure-bits": "words such as keep-caps or noroot",
  signal: "a signal such as SIGTERM",
  "socket-address": "a path, @name, port, address:port or [IPv6 address]:port",
  "socket-bind": "any, or [ipv4:|ipv6:][tcp:|udp:][ports]",
  "standard-input": "null, tty, tty-force, tty-fail, socket, fd[:name], data or file:path",
  "standard-output":
    "inherit, null, tty, journal, kmsg, journal+console, kmsg+console, socket, fd[:name], file:path, append:path or truncate:path",
  string: "text",
  "syslog-facility": "a syslog facility such as daemon",
  "syslog-level": "a syslog level such as warning",
  "system-calls": "system calls and groups such as @system-service, with a leading ~ for all others",
  "task-count": "a number, a percentage such as 10%, or infinity",
  "time-span": "a time span such as 90s or 1min 30s",
  tmpfs: "absolute paths, each with mount options after a colon as needed",
  uris: "URIs that begin with http://, https://, file:, info: or man:",
  "unit-name": "a unit name",
  "unit-names": "unit names, separated by blanks",
  user: "a user or group, by name or number",
  users: "users or groups, by name or number, separated by blanks",
  verbatim: "text; % has no meaning here",
  "working-directory": "an absolute path or ~, after an optional -",
} as const satisfies Record<string, string>;

/** The grammar of a directive's value. */
export type DirectiveKind = keyof typeof directiveKinds;

/**
 * What an empty assignment (`Name=`) does: `resets` to the default; is `ignored` with a warning; `adds-nothing` and
 * cannot take back what stands; `empties` the set, which is not its default; `means-yes`; or clears everything of its
 * family (`resets-conditions`, `resets-triggers`, `resets-listeners`, `resets-paths`).
 */
export type EmptyAssignment =
  | "resets"
  | "ignored"
  | "adds-nothing"
  | "empties"
  | "means-yes"
  | "resets-conditions"
  | "resets-triggers"
  | "resets-listeners"
  | "resets-paths";

/** A table of directives: a section, or one of the blocks `Exec`, `Kill` and `CGroup` that several sections share. */
export type DirectiveBlock =
  | "Unit"
  | "Install"
  | "Service"
  | "Socket"
  | "Timer"
  | "Path"
  | "Mount"
  | "Automount"
  | "Swap"
  | "Scope"
  | "Exec"
  | "Kill"
  | "CGroup";

/** What is known of one directive. Measured and read for systemd 247 to 257. */
export interface Directive {
  /** Exact name, such as `ExecStart`. */
  readonly name: string;
  /** The block that holds it; not always the section in which it is written: `User` is of `Exec`. */
  readonly section: DirectiveBlock;
  readonly kind: DirectiveKind;
  /** Whether it is assigned more than once, or holds words that add up. */
  readonly list: boolean;
  readonly empty: EmptyAssignment;
  /** The words of an `enum`, or words that are accepted besides the kind's own form. */
  readonly values?: readonly string[];
  /** First systemd that knows a word, for those that are younger than the directive. */
  readonly valuesSince?: Readonly<Record<string, number>>;
  /** Whether all boolean words stand for `yes` and `no` of an `enum`. */
  readonly booleans?: boolean;
  /** Smallest number. In seconds for a time span, in bytes for a size. */
  readonly min?: number;
  /** Largest number. */
  readonly max?: number;
  /** What a bare number of a resource limit counts: bytes, seconds, microseconds, count or nice. */
  readonly unit?: string;
  /** Suffix of the unit that must be named, such as `.socket`. */
  readonly suffix?: string;
  /** First systemd that knows the directive; 247 or lower means always. */
  readonly since: number;
  /** Last systemd that knows it. */
  readonly removedAfter?: number;
  /** What is written instead of this old name, place or form. */
  readonly legacyUse?: string;
  /** Whether it is still known but has no effect. */
  readonly obsolete?: boolean;
  /** Whether a bad value makes the whole unit fail to load; elsewhere systemd warns and ignores it. */
  readonly fatal?: boolean;
}
