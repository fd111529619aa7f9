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
  /** Paths of files whose change reloads the unit. Default: none. */
  reloadOnFiles?: string[];
  /** Names of releases whose change restarts the unit. */
  restartOnReleases: string[];
  /** Directories that are removed with the unit. Default: none. */
  purge?: string[];
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
  /** How `content` stands for the bytes: `utf-8` or `base64`. Default: `utf-8`. */
  encoding?: string;
  /** Whether the content may never be shown. */
  secret: boolean;
  /** Name of the credential under which the host encrypts the content before it writes it. Default: written as it is. */
  seal?: string;
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
  /** Name of its directory below `/opt/NAME/releases`: the same for the same code and environment. */
  id: string;
  /** How many releases before this one stay on a host. */
  keep: number;
  /** What the code needs to run, installed on the host. */
  environment?: DefinedEnvironment;
}

/** The packages of a release, and how they get onto a host. */
export interface DefinedEnvironment {
  /** SHA-256 over lock, wheels and wanted interpreter. */
  digest: string;
  /** How the lock is read: `requirements`, `uv` or `none`. */
  lockKind: string;
  /** The files of the lock; the first is the one to install from. */
  inputs: DefinedLockInput[];
  /** Whether every package must have one of the hashes that the lock names. */
  isHashed: boolean;
  /** Wanted interpreter: `3.12` or an absolute path. Default: the host's `python3`. */
  python?: string;
  /** What installs: `auto`, `pip` or `uv`. */
  installer: string;
  /** Version of uv that is fetched for a build. */
  uv?: string;
  /** SHA-256 of the archive of wheels. */
  wheelhouseSha256?: string;
  /** Path of the archive of wheels on the machine that runs Pulumi. */
  wheelhouse?: string;
  /** File name of a wheel in the release that is installed too. */
  wheel?: string;
  /** Settings of the package index for pip, secret. */
  pipConf?: string;
  /** Settings of the package index for uv, secret. */
  uvToml?: string;
  /** Seconds for one build. */
  buildSec: number;
}

/** One file of a lock. */
export interface DefinedLockInput {
  /** Its path, relative to the first one's directory. */
  path: string;
  /** Whole content. */
  content: string;
}

/** A command that runs when a release is new on a host. */
export interface DefinedHook {
  /** Name of the release. */
  release: string;
  /** Unit whose account, environment, secrets and sandbox it has. */
  unit: string;
  /** `check`, `pre-start` or `post-start`. */
  kind: string;
  /** Program and arguments. */
  exec: string[];
  /** Seconds that it may take. */
  seconds: number;
}

/** What a unit must pass after a deploy changed it, or the host goes back. */
export interface DefinedGate {
  /** File name of the unit; one that is not of this host counts for nothing. */
  unit: string;
  /** Its probes and times, as JSON: `BundleGate` of activation/bundle.ts. May be secret. */
  settings: string;
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
  /** Commands that run when that code is new. Default: none. */
  hooks?: DefinedHook[];
  /** Health gates of units. Default: none. */
  gates?: DefinedGate[];
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
