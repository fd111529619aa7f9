import type * as pulumi from "@pulumi/pulumi";

/** A unit as a component defines it, before a host is chosen. */
export interface DefinedUnit {
  /** File name of the unit: `api.service`. */
  name: string;
  /** Exact text of the unit file. */
  text: string;
  /** Whether the transaction starts it (`started`) or something else does (`on-demand`: a timer, a socket, a dependant). */
  activation: string;
  /** Paths of files whose change restarts the unit. */
  restartOnFiles: string[];
  /** Names of releases whose change restarts the unit. */
  restartOnReleases: string[];
  /** Socket, timer and path units that can start this unit. */
  triggeredBy: string[];
  /** What a change does to the running unit: `auto`, `restart`, `reload` or `none`. */
  onChange: string;
  /** Seconds for which the unit must stay up after a start before it counts as running. */
  settleSec: number;
  /** Lints and policies that the unit may break until a date. */
  waive: DefinedWaiver[];
}

/** A lint or policy that a definition may break until a date. */
export interface DefinedWaiver {
  /** Id of the lint or policy. */
  policy: string;
  /** Why. */
  reason: string;
  /** Last day on which it holds, `YYYY-MM-DD`, to its end in UTC. */
  until: string;
}

/** A file that belongs to a definition, such as an environment file. */
export interface DefinedFile {
  /** Absolute path on the host. */
  path: string;
  /** Octal permission bits: `0600`. */
  mode: string;
  /** Whole content. */
  content: string;
  /** Whether the content may never be shown. */
  secret: boolean;
}

/** A system account that a definition wants to exist. */
export interface DefinedUser {
  /** Name of the account. */
  name: string;
  /** Its primary group, made with it when absent. */
  group: string;
  /** Its home directory. */
  home: string;
}

/** Code that a definition ships. */
export interface DefinedRelease {
  /** Name by which units refer to it, the name of the service. */
  name: string;
  /** SHA-256 of the archive. */
  sha256: string;
  /** Path of the archive on the machine that runs Pulumi. */
  archive: string;
}

/** What one component adds to a host: units, and what they need beside them. */
export interface Definition {
  /** Units to install. */
  units: DefinedUnit[];
  /** Files to write beside them. */
  files: DefinedFile[];
  /** Accounts that must exist. */
  users: DefinedUser[];
  /** Code to ship. */
  releases: DefinedRelease[];
}

/** Anything that a Host can be given: every component of this package but Host itself. */
export interface DefinitionSource {
  /** Units and files to bring to the host. */
  definition: pulumi.Input<Definition>;
}

/** A unit that another definition refers to: a component of this package, or `{ unitName: "redis-server.service" }`. */
export interface UnitReference {
  /** File name of the unit: `redis-server.service`. */
  unitName: pulumi.Input<string>;
}
