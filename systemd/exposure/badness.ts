import { opensFamiliesOf } from "./address-families.ts";
import { capabilityMask, noCapabilities } from "./capability-set.ts";
import type { Assessment } from "./facts.ts";
import type { ExposureSettings } from "./settings.ts";
import { type Architecture, systemCallBadness } from "./system-call-filter.ts";

/** For which systemd, and which machine, a badness counts. */
export interface Judge {
  readonly systemd: number;
  readonly architecture: Architecture;
}

const privileged = ({ user, switches }: ExposureSettings): boolean =>
  user === "0" || user === "root" || (user === "" && !switches.DynamicUser);

const badIf = (bad: boolean): number => (bad ? 1 : 0);

/** Badness of one thing, from 0 (good) to the test's range; null: the test does not apply to the service. */
export function badnessOf(assess: Assessment, settings: ExposureSettings, judge: Judge): number | null {
  switch (assess.of) {
    case "switch":
      return badIf(switchOf(assess.directive, settings, judge) === assess.bad);
    case "capabilities":
      return badIf((settings.boundingSet & capabilityMask(assess.names)) !== noCapabilities);
    case "namespace":
      return badIf(settings.namespaces?.has(assess.name) ?? true);
    case "addressFamily":
      return badIf(opensFamiliesOf(assess.bucket, settings.addressFamilies));
    case "systemCalls":
      return systemCallBadness(settings.systemCallFilter, assess.group, judge.architecture);
    case "user":
      return settings.user === "nobody" ? 9 : privileged(settings) ? 10 : 0;
    case "supplementaryGroups":
      return privileged(settings) ? null : badIf(settings.supplementaryGroups.length > 0);
    case "protectHome":
      return { yes: 0, tmpfs: 1, "read-only": 5, no: 10 }[settings.protectHome];
    case "protectSystem":
      return { strict: 0, full: 3, yes: 5, no: 10 }[settings.protectSystem];
    case "rootDirectory":
      return badIf([settings.rootDirectory, settings.rootImage].every((path) => path === "" || path === "/"));
    case "umask":
      return umaskBadness(settings.umask);
    case "keyringMode":
      return badIf(settings.keyringMode !== "private");
    case "protectProc":
      return { invisible: 0, ptraceable: 0, noaccess: 1, default: 3 }[settings.protectProc];
    case "procSubset":
      return badIf(settings.procSubset !== "pid");
    case "notifyAccess":
      return badIf(settings.notifyAccess === "all");
    case "removeIpc":
      return privileged(settings) ? null : badIf(settings.switches.RemoveIPC !== true);
    case "systemCallArchitectures":
      return architecturesBadness(settings.systemCallArchitectures);
    case "ipAddresses":
      return ipAddressesBadness(settings);
    case "devices":
      return settings.devicePolicy === "auto" ? 10 : settings.devices.length > 0 ? 5 : 0;
    case "ambientCapabilities":
      return badIf(settings.ambientSet !== noCapabilities);
  }
}

function switchOf(directive: string, { switches }: ExposureSettings, { systemd }: Judge): boolean {
  // From 253 on, the offline tool takes a PrivateMounts= that is not set for a good one.
  return switches[directive] ?? (directive === "PrivateMounts" && systemd >= 253);
}

function umaskBadness(umask: number): number {
  if ((umask & 0o002) === 0) return 10;
  if ((umask & 0o004) === 0) return 5;
  if ((umask & 0o020) === 0) return 2;
  return (umask & 0o040) === 0 ? 1 : 0;
}

function architecturesBadness(architectures: ReadonlySet<string>): number {
  if (architectures.size === 0) return 10;
  return architectures.size === 1 && architectures.has("native") ? 0 : 8;
}

function ipAddressesBadness({ ipAllow, ipDeny, hasIpFilterProgram }: ExposureSettings): number {
  if (hasIpFilterProgram) return 0;
  const deniesAll = (["ipv4", "ipv6"] as const).every((family) =>
    ipDeny.some((prefix) => prefix.any && prefix.family === family),
  );
  if (!deniesAll) return 10;
  if (ipAllow.length === 0) return 0;
  return ipAllow.every((prefix) => prefix.localhost) ? 2 : 5;
}
