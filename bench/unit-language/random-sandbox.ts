import fc from "fast-check";
import { capabilityNames } from "../../systemd/exposure/facts.ts";
import type { Draw } from "./measurement.ts";

const { constantFrom, oneof } = fc;
const of = (text: string): fc.Arbitrary<string> => constantFrom(...text.split(" "));
const boolean = oneof(
  { weight: 6, arbitrary: of("yes no true false on off 1 0") },
  { weight: 1, arbitrary: constantFrom("YES", "t", "f", "y", "n", "", "maybe", "strict", "True ") },
);
const words = (item: fc.Arbitrary<string>, maxLength: number): fc.Arbitrary<string> =>
  fc.array(item, { maxLength }).map((items) => items.join(" "));
const inverted = (list: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(constantFrom("", "", "~"), list).map((parts) => parts.join(""));

const capability = oneof(
  { weight: 8, arbitrary: constantFrom(...capabilityNames) },
  { weight: 1, arbitrary: constantFrom("cap_chown", "CAP_NONE", "CHOWN", "5", '"CAP_KILL"', "CAP_SYS_ADMIN,CAP_KILL") },
);
const capabilities = oneof(
  inverted(words(capability, 6)),
  inverted(fc.shuffledSubarray([...capabilityNames], { minLength: 25 }).map((names) => names.join(" "))),
);
const groups =
  "@aio @basic-io @chown @clock @cpu-emulation @debug @default @file-system @io-event @ipc @keyring @memlock " +
  "@module @mount @network-io @obsolete @pkey @privileged @process @raw-io @reboot @resources @sandbox @setuid @signal " +
  "@swap @sync @system-service @timer @known";
const call = oneof(
  { weight: 6, arbitrary: of(groups) },
  {
    weight: 3,
    arbitrary: of("read write open openat ptrace mount umount2 swapon reboot settimeofday chown setuid clone bpf"),
  },
  {
    weight: 1,
    arbitrary: constantFrom(
      "nosuchcall",
      "@nosuchgroup",
      "ptrace:EPERM",
      "mount:kill",
      "@clock:EACCES",
      "swapon:99999",
      '"ptrace"',
    ),
  },
);
const family = oneof(
  { weight: 8, arbitrary: of("AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_PACKET AF_BLUETOOTH AF_VSOCK AF_ALG AF_CAN") },
  { weight: 1, arbitrary: of("none AF_FOO unix AF_LOCAL") },
);
const namespace = oneof(
  { weight: 6, arbitrary: of("user mnt net ipc pid uts cgroup") },
  { weight: 1, arbitrary: of("time mount") },
);
const address = of(
  "any localhost link-local multicast 0.0.0.0/0 ::/0 10.0.0.0/8 127.0.0.0/8 ::1/128 192.168.1.1 300.1.1.1 0.0.0.0/1 128.0.0.0/1",
);
const device = constantFrom("/dev/null rw", "/dev/sda r", "char-pts rw", "block-* r", "null", "/dev/fuse", "char-usb");

const plainBooleans = (
  "DynamicUser LockPersonality MemoryDenyWriteExecute NoNewPrivileges PrivateDevices PrivateMounts PrivateNetwork " +
  "PrivateTmp PrivateUsers ProtectClock ProtectControlGroups ProtectHostname ProtectKernelLogs ProtectKernelModules " +
  "ProtectKernelTunables RemoveIPC RestrictRealtime RestrictSUIDSGID Delegate"
).split(" ");

const values: Readonly<Record<string, fc.Arbitrary<string>>> = {
  PrivateTmp: oneof(boolean, of("disconnected")),
  PrivateUsers: oneof(boolean, of("self identity full")),
  ProtectControlGroups: oneof(boolean, of("private strict")),
  Delegate: oneof(boolean, constantFrom("cpu memory", "")),
  PrivatePIDs: boolean,
  User: constantFrom("root", "0", "nobody", "www-data", "orders", "1000", "", "no such user"),
  Group: of("root www-data 1000"),
  SupplementaryGroups: constantFrom("audio", "audio video", ""),
  ProtectSystem: oneof(boolean, of("full strict")),
  ProtectHome: oneof(boolean, of("read-only tmpfs")),
  ProtectProc: of("noaccess invisible ptraceable default nosuch"),
  ProcSubset: of("all pid nosuch"),
  // Values of these that are no paths, or of DynamicUser= that are no booleans, make systemd refuse the whole unit.
  RootDirectory: constantFrom("/", "/srv/root", "", "//", "/srv//x/"),
  RootImage: constantFrom("/srv/image.raw", "", "/"),
  DynamicUser: of("yes no true false on off 1 0 YES t f"),
  UMask: of("0022 0077 0027 0000 022 77 0777 8 0002 00077 9999 0007"),
  KeyringMode: of("private shared inherit nosuch"),
  NotifyAccess: of("none main exec all nosuch"),
  CapabilityBoundingSet: capabilities,
  AmbientCapabilities: inverted(words(capability, 2)),
  RestrictNamespaces: oneof(boolean, inverted(words(namespace, 4))),
  RestrictAddressFamilies: inverted(words(family, 4)),
  SystemCallArchitectures: words(of("native x86 x86-64 x32 arm64 nosuch"), 2),
  SystemCallFilter: oneof(inverted(words(call, 5)), of("@system-service ~@privileged ~@resources")),
  SystemCallErrorNumber: of("EPERM kill"),
  IPAddressAllow: words(address, 2),
  IPAddressDeny: words(address, 2),
  IPIngressFilterPath: constantFrom("/sys/fs/bpf/in", ""),
  IPEgressFilterPath: constantFrom("/sys/fs/bpf/out", ""),
  DevicePolicy: of("auto closed strict nosuch"),
  DeviceAllow: oneof(device, fc.constant("")),
  MountAPIVFS: boolean,
  BindPaths: of("/srv /dev/log"),
  TemporaryFileSystem: of("/var /home:ro"),
  ReadOnlyPaths: of("/ /etc"),
  InaccessiblePaths: of("/home -/root"),
  StateDirectory: of("orders"),
  Type: of("simple notify oneshot forking exec idle"),
  WatchdogSec: of("30s 0"),
  StandardInput: of("null tty socket"),
  RootEphemeral: boolean,
  LoadCredentialEncrypted: constantFrom("name:/etc/secret", ""),
  SetCredentialEncrypted: constantFrom("name:AAAA"),
  MountImages: constantFrom("/srv/a.raw:/mnt", ""),
  ExtensionImages: constantFrom("/srv/a.raw", ""),
};

const directives: Readonly<Record<string, fc.Arbitrary<string>>> = {
  ...Object.fromEntries(plainBooleans.map((name) => [name, boolean])),
  ...values,
};

const line = constantFrom(...Object.keys(directives)).chain((name) =>
  directives[name]!.map((value) => `${name}=${value}`),
);

/** Mostly good settings: near the bottom of the scale, the last decimal depends on single tests. */
const strict = [
  ...plainBooleans.filter((name) => name !== "Delegate").map((name) => `${name}=yes`),
  "ProtectSystem=strict",
  "ProtectHome=yes",
  "ProtectProc=invisible",
  "ProcSubset=pid",
  "UMask=0077",
  "KeyringMode=private",
  "CapabilityBoundingSet=",
  "RestrictNamespaces=yes",
  "RestrictAddressFamilies=AF_UNIX AF_INET",
  "SystemCallArchitectures=native",
  "SystemCallFilter=@system-service",
  "SystemCallFilter=~@privileged @resources",
  "IPAddressDeny=any",
  "DevicePolicy=closed",
];

const sandbox = fc
  .tuple(
    oneof(fc.constant<string[]>([]), fc.shuffledSubarray(strict, { minLength: 10 })),
    fc.array(line, { maxLength: 25 }),
    fc.nat(9),
  )
  .map(([good, random, dice]) =>
    [
      ...(dice === 0 ? ["[Unit]", "DefaultDependencies=no", ""] : []),
      "[Service]",
      "ExecStart=/bin/true",
      ...good,
      ...random,
      "",
    ].join("\n"),
  );

/** Service files with random sandbox settings: resets, repeats, values that only one version knows, and bad values. */
export function randomSandboxes({ seed, count }: Draw): readonly string[] {
  return fc.sample(sandbox, { seed, numRuns: count });
}
