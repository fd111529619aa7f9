import table from "../data/security-exposure.json" with { type: "json" };

/** The buckets into which the exposure tests sort address families. */
export type AddressFamilyBucket = "inet" | "unix" | "netlink" | "packet" | "other";

/** What a test looks at. A `switch` is a boolean directive; `bad` is the value that exposes. */
export type Assessment =
  | { readonly of: "switch"; readonly directive: string; readonly bad: boolean }
  | { readonly of: "capabilities"; readonly names: readonly string[] }
  | { readonly of: "namespace"; readonly name: string }
  | { readonly of: "addressFamily"; readonly bucket: AddressFamilyBucket }
  | { readonly of: "systemCalls"; readonly group: string }
  | {
      readonly of:
        | "user"
        | "supplementaryGroups"
        | "protectHome"
        | "protectSystem"
        | "rootDirectory"
        | "umask"
        | "keyringMode"
        | "protectProc"
        | "procSubset"
        | "notifyAccess"
        | "removeIpc"
        | "systemCallArchitectures"
        | "ipAddresses"
        | "devices"
        | "ambientCapabilities";
    };

/** One of the tests of `systemd-analyze security`, as systemd's source has it. */
export interface ExposureFact {
  /** As the tool shows it: `CapabilityBoundingSet=~CAP_SYS_ADMIN`. */
  readonly id: string;
  /** As the tool's JSON output and a `--security-policy=` file name it. */
  readonly jsonField: string;
  readonly weight: number;
  /** The worst badness. */
  readonly range: number;
  readonly assess: Assessment;
  /** What a service can do while the test is bad, after "the service". */
  readonly risk: string;
  /** What may stop working when the test is made good, and the way out. */
  readonly mayBreak: string;
  /** A line of [Service] that makes the test good; it may break the service. */
  readonly improve?: { readonly directive: string; readonly value: string };
  /** The test does not count for a unit with DefaultDependencies=no. */
  readonly onlyWithDefaultDependencies?: boolean;
}

// TypeScript reads the strings of a JSON file as `string`; a test checks the table against these types.
export const exposureFacts = table.tests as unknown as readonly ExposureFact[];

/** Exposure times ten from which on a rating holds, worst first. */
export const ratings: readonly { readonly from: number; readonly name: string }[] = table.ratings;

/** The kernel's capabilities; the index is the number. */
export const capabilityNames: readonly string[] = table.capabilities;
