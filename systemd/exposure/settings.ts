import type { UnitEntry } from "../unit-file.ts";
import { type AddressFamilies, addressFamiliesAfter, anyAddressFamily } from "./address-families.ts";
import { type AddressPrefix, prefixesAfter } from "./address-prefixes.ts";
import { allCapabilities, capabilitiesAfter, capabilityMask, noCapabilities } from "./capability-set.ts";
import { type AllowedNamespaces, namespacesAfter } from "./namespaces.ts";
import { type SystemCallFilter, systemCallFilterAfter } from "./system-call-filter.ts";
import { booleanOf, oneOf, simplifiedPath, wordsBeforeFault } from "./value.ts";

/** What systemd has read from [Service], as far as the exposure tests look at it, implied settings included. */
export interface ExposureSettings {
  /** Boolean directives that are assigned, by name; `PrivateMounts` may be undefined while it is assigned empty. */
  switches: Record<string, boolean | undefined>;
  user: string;
  supplementaryGroups: readonly string[];
  protectHome: "yes" | "no" | "read-only" | "tmpfs";
  protectSystem: "yes" | "no" | "full" | "strict";
  rootDirectory: string;
  rootImage: string;
  umask: number;
  keyringMode: "private" | "shared" | "inherit";
  protectProc: "noaccess" | "invisible" | "ptraceable" | "default";
  procSubset: "all" | "pid";
  notifyAccess: "none" | "main" | "exec" | "all";
  boundingSet: bigint;
  ambientSet: bigint;
  namespaces: AllowedNamespaces;
  addressFamilies: AddressFamilies;
  systemCallArchitectures: ReadonlySet<string>;
  systemCallFilter: SystemCallFilter | undefined;
  ipAllow: readonly AddressPrefix[];
  ipDeny: readonly AddressPrefix[];
  hasIpFilterProgram: boolean;
  devicePolicy: "auto" | "closed" | "strict";
  devices: readonly string[];
  mountImages: readonly string[];
  encryptedCredentials: readonly string[];
}

type Assign = (settings: ExposureSettings, value: string, systemd: number) => void;

const plainSwitches =
  "DynamicUser LockPersonality MemoryDenyWriteExecute NoNewPrivileges PrivateDevices PrivateNetwork ProtectClock " +
  "ProtectHostname ProtectKernelLogs ProtectKernelModules ProtectKernelTunables RemoveIPC RestrictRealtime RestrictSUIDSGID";

/** Switches that newer versions let be switched on in other words, too: name, since, words. */
const widenedSwitches = [
  ["PrivateTmp", 257, ["disconnected"]],
  ["PrivateUsers", 257, ["self", "identity"]],
  ["ProtectControlGroups", 257, ["private", "strict"]],
] as const;

const architectures = new Set(
  (
    "native x86 x86-64 x32 arm arm64 loongarch64 mips mips64 mips64-n32 mips-le mips64-le mips64-le-n32 parisc parisc64 " +
    "ppc ppc64 ppc64-le riscv64 s390 s390x"
  ).split(" "),
);

const assignSwitch =
  (name: string): Assign =>
  (settings, value) => {
    settings.switches[name] = booleanOf(value) ?? settings.switches[name];
  };

const assignWidenedSwitch =
  ([name, since, words]: (typeof widenedSwitches)[number]): Assign =>
  (settings, value, systemd) => {
    const widened = systemd >= since && (words as readonly string[]).includes(value) ? true : undefined;
    settings.switches[name] = booleanOf(value) ?? widened ?? settings.switches[name];
  };

/** What each assignment does, in the order of the file. A value that systemd would not accept changes nothing. */
const assignments: Readonly<Record<string, Assign>> = {
  ...Object.fromEntries(plainSwitches.split(" ").map((name) => [name, assignSwitch(name)])),
  ...Object.fromEntries(widenedSwitches.map((widened) => [widened[0], assignWidenedSwitch(widened)])),
  PrivateMounts: (settings, value, systemd) => {
    if (value === "" && systemd >= 253) settings.switches.PrivateMounts = undefined;
    else assignSwitch("PrivateMounts")(settings, value, systemd);
  },
  Delegate: (settings, value) => {
    settings.switches.Delegate = booleanOf(value) ?? true;
  },
  User: (settings, value) => {
    settings.user = value;
  },
  SupplementaryGroups: (settings, value) => {
    settings.supplementaryGroups = extended(settings.supplementaryGroups, value);
  },
  ProtectHome: (settings, value) => {
    settings.protectHome = yesNoOr(value, ["read-only", "tmpfs"]) ?? settings.protectHome;
  },
  ProtectSystem: (settings, value) => {
    settings.protectSystem = yesNoOr(value, ["full", "strict"]) ?? settings.protectSystem;
  },
  RootDirectory: (settings, value) => {
    settings.rootDirectory = value === "" ? "" : (simplifiedPath(value) ?? settings.rootDirectory);
  },
  RootImage: (settings, value) => {
    settings.rootImage = value === "" ? "" : (simplifiedPath(value) ?? settings.rootImage);
  },
  UMask: (settings, value) => {
    if (/^[0-7]+$/.test(value) && Number.parseInt(value, 8) <= 0o7777) settings.umask = Number.parseInt(value, 8);
  },
  KeyringMode: (settings, value) => {
    settings.keyringMode = oneOf(value, ["private", "shared", "inherit"]) ?? settings.keyringMode;
  },
  ProtectProc: (settings, value) => {
    const modes = ["noaccess", "invisible", "ptraceable", "default"] as const;
    settings.protectProc = oneOf(value, modes) ?? settings.protectProc;
  },
  ProcSubset: (settings, value) => {
    settings.procSubset = oneOf(value, ["all", "pid"]) ?? settings.procSubset;
  },
  NotifyAccess: (settings, value) => {
    settings.notifyAccess = oneOf(value, ["none", "main", "exec", "all"]) ?? settings.notifyAccess;
  },
  CapabilityBoundingSet: (settings, value) => {
    settings.boundingSet = capabilitiesAfter(value, settings.boundingSet, allCapabilities);
  },
  AmbientCapabilities: (settings, value) => {
    settings.ambientSet = capabilitiesAfter(value, settings.ambientSet, noCapabilities);
  },
  RestrictNamespaces: (settings, value) => {
    settings.namespaces = namespacesAfter(value, settings.namespaces);
  },
  RestrictAddressFamilies: (settings, value) => {
    settings.addressFamilies = addressFamiliesAfter(value, settings.addressFamilies);
  },
  SystemCallArchitectures: (settings, value) => {
    const named = wordsBeforeFault(value).filter((name) => architectures.has(name));
    settings.systemCallArchitectures = new Set(value === "" ? [] : [...settings.systemCallArchitectures, ...named]);
  },
  SystemCallFilter: (settings, value) => {
    settings.systemCallFilter = systemCallFilterAfter(value, settings.systemCallFilter);
  },
  IPAddressAllow: (settings, value) => {
    settings.ipAllow = prefixesAfter(value, settings.ipAllow);
  },
  IPAddressDeny: (settings, value) => {
    settings.ipDeny = prefixesAfter(value, settings.ipDeny);
  },
  DevicePolicy: (settings, value) => {
    settings.devicePolicy = oneOf(value, ["auto", "closed", "strict"]) ?? settings.devicePolicy;
  },
  DeviceAllow: (settings, value) => {
    if (value === "") settings.devices = [];
    else if (/^("?)(\/dev\/|block-|char-)/.test(value)) settings.devices = [...settings.devices, value];
  },
  MountImages: (settings, value) => {
    settings.mountImages = extended(settings.mountImages, value);
  },
  LoadCredentialEncrypted: (settings, value) => {
    settings.encryptedCredentials = extended(settings.encryptedCredentials, value);
  },
  SetCredentialEncrypted: (settings, value) => {
    settings.encryptedCredentials = extended(settings.encryptedCredentials, value);
  },
};

/** Names of the directives of [Service] that the score looks at. */
export const exposureDirectives: ReadonlySet<string> = new Set(Object.keys(assignments));

/**
 * The settings that the entries of all [Service] sections give, in their order, drop-ins behind the unit.
 *
 * @param systemd version of systemd whose reading counts
 */
export function settingsOf(entries: readonly UnitEntry[], systemd: number): ExposureSettings {
  const settings: ExposureSettings = {
    switches: {},
    user: "",
    supplementaryGroups: [],
    protectHome: "no",
    protectSystem: "no",
    rootDirectory: "",
    rootImage: "",
    umask: 0o022,
    keyringMode: "private",
    protectProc: "default",
    procSubset: "all",
    notifyAccess: "none",
    boundingSet: allCapabilities,
    ambientSet: noCapabilities,
    namespaces: undefined,
    addressFamilies: anyAddressFamily,
    systemCallArchitectures: new Set(),
    systemCallFilter: undefined,
    ipAllow: [],
    ipDeny: [],
    hasIpFilterProgram: false,
    devicePolicy: "auto",
    devices: [],
    mountImages: [],
    encryptedCredentials: [],
  };
  const programs: Record<string, readonly string[]> = {};
  for (const { key, value } of entries) {
    if (key === "IPIngressFilterPath" || key === "IPEgressFilterPath") {
      const path = simplifiedPath(value);
      programs[key] = value === "" ? [] : [...(programs[key] ?? []), ...(path === undefined ? [] : [path])];
    } else if (Object.hasOwn(assignments, key)) assignments[key]?.(settings, value, systemd);
  }
  settings.hasIpFilterProgram = Object.values(programs).some((paths) => paths.length > 0);
  addImplied(settings);
  return settings;
}

/** Adds what one setting implies for another, as systemd does once a unit is loaded. */
function addImplied(settings: ExposureSettings): void {
  const { switches } = settings;
  if (switches.DynamicUser) {
    for (const name of ["PrivateTmp", "RemoveIPC", "NoNewPrivileges", "RestrictSUIDSGID"]) switches[name] = true;
    settings.protectSystem = "strict";
    if (settings.protectHome === "no") settings.protectHome = "read-only";
  }
  const dropped: readonly (readonly [string, readonly string[]])[] = [
    ["PrivateDevices", ["CAP_MKNOD", "CAP_SYS_RAWIO"]],
    ["ProtectKernelModules", ["CAP_SYS_MODULE"]],
    ["ProtectKernelLogs", ["CAP_SYSLOG"]],
    ["ProtectClock", ["CAP_SYS_TIME", "CAP_WAKE_ALARM"]],
  ];
  for (const [name, capabilities] of dropped) if (switches[name]) settings.boundingSet &= ~capabilityMask(capabilities);
  if (switches.PrivateDevices && settings.devicePolicy === "auto") settings.devicePolicy = "closed";
  const needsDevices =
    switches.ProtectClock ||
    settings.rootImage !== "" ||
    settings.mountImages.length > 0 ||
    settings.encryptedCredentials.length > 0;
  if (needsDevices && settings.devicePolicy !== "auto") settings.devices = [...settings.devices, "implied"];
}

function yesNoOr<const T extends string>(value: string, words: readonly T[]): T | "yes" | "no" | undefined {
  const yes = booleanOf(value);
  return yes === undefined ? oneOf(value, words) : yes ? "yes" : "no";
}

function extended(list: readonly string[], value: string): readonly string[] {
  return value === "" ? [] : [...list, ...wordsBeforeFault(value)];
}
