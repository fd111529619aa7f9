import type { UnitModel } from "../../systemd/sections.ts";
import { parsedBoolean } from "../../systemd/values/boolean.ts";
import type { Finding } from "./finding.ts";
import { isOn, serviceType, valueInForce, valuesSinceReset } from "./service-directives.ts";

/** The tiers of a sandbox, weakest first. Each asks for all that the ones before it ask for. */
export const tierNames = ["open", "basic", "contained", "sealed"] as const;
export type TierName = (typeof tierNames)[number];

/** What a service is, as far as its sandbox is concerned. */
export const serviceKinds = ["daemon", "job", "template"] as const;
export type ServiceKind = (typeof serviceKinds)[number];

interface Demand {
  readonly directive: string;
  readonly wanted: string;
  readonly isMet: (unit: UnitModel) => boolean;
}

const isYes = (directive: string): Demand => ({ directive, wanted: "yes", isMet: (unit) => isOn(unit, directive) });
const isSet = (directive: string, wanted: string): Demand => ({
  directive,
  wanted,
  isMet: (unit) => valueInForce(unit, directive) !== undefined,
});
/** Neither missing nor no; `DynamicUser=yes` implies it. */
const isImplied = (directive: string, wanted: string, accepted: readonly string[]): Demand => ({
  directive,
  wanted,
  isMet: (unit) => {
    const value = valueInForce(unit, directive);
    if (value === undefined) return isOn(unit, "DynamicUser");
    return accepted.includes(value) || (parsedBoolean(value) === true && accepted.includes("yes"));
  },
});

const demands: Readonly<Record<TierName, readonly Demand[]>> = {
  open: [],
  basic: [
    isImplied("NoNewPrivileges", "yes", ["yes"]),
    isImplied("ProtectSystem", "full", ["full", "strict"]),
    isImplied("PrivateTmp", "yes", ["yes", "disconnected"]),
  ],
  contained: [
    isImplied("ProtectSystem", "strict", ["strict"]),
    isImplied("ProtectHome", "yes", ["yes", "read-only", "tmpfs"]),
    isYes("PrivateDevices"),
    isYes("ProtectKernelTunables"),
    isYes("ProtectKernelModules"),
    isYes("ProtectControlGroups"),
    isImplied("RestrictSUIDSGID", "yes", ["yes"]),
    isSet("RestrictAddressFamilies", "..."),
    isSet("SystemCallFilter", "@system-service"),
    {
      directive: "CapabilityBoundingSet",
      wanted: "...",
      isMet: (unit) => unit.Service?.CapabilityBoundingSet !== undefined,
    },
  ],
  sealed: [
    isYes("PrivateUsers"),
    isYes("MemoryDenyWriteExecute"),
    isYes("ProtectClock"),
    isYes("ProtectKernelLogs"),
    isYes("ProtectHostname"),
    isYes("LockPersonality"),
    isYes("RestrictRealtime"),
    isYes("RestrictNamespaces"),
    {
      directive: "CapabilityBoundingSet",
      wanted: "(nothing)",
      isMet: (unit) =>
        unit.Service?.CapabilityBoundingSet !== undefined &&
        valuesSinceReset(unit, "CapabilityBoundingSet").length === 0,
    },
  ],
};

/** The kind of a service: a template or an instance of one, a job that ends by itself, or a daemon. */
export function serviceKind(name: string, unit: UnitModel): ServiceKind {
  if (name.includes("@")) return "template";
  return serviceType(unit) === "oneshot" ? "job" : "daemon";
}

/** What a service lacks of the tier of its kind, all directives in one finding. */
export function tierFindings(
  name: string,
  unit: UnitModel,
  tiers: Readonly<Record<ServiceKind, TierName>>,
): readonly Finding[] {
  const kind = serviceKind(name, unit);
  const tier = tiers[kind];
  const asked = tierNames.slice(0, tierNames.indexOf(tier) + 1).flatMap((each) => demands[each]);
  // A higher tier may ask more of the same directive.
  const strongest = [...new Map(asked.map((demand) => [demand.directive, demand])).values()];
  const missing = strongest.filter(({ isMet }) => !isMet(unit));
  const [first] = missing;
  if (first === undefined) return [];
  const lacks = missing.map(({ directive, wanted }) => {
    const value = valueInForce(unit, directive);
    return `${directive}=${wanted}${value === undefined ? "" : ` (it is ${value})`}`;
  });
  return [
    {
      found: `[Service] lacks ${lacks.join("; ")}`,
      wanted: `the tier ${tier}`,
      why: `that is what a ${kind} of this environment needs`,
    },
  ];
}
