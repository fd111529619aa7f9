import { posix } from "node:path";
import { z } from "zod";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "must be a SHA-256 in lower-case hex");
const absolutePath = z
  .string()
  .refine(
    (path) =>
      path.startsWith("/") &&
      path !== "/" &&
      !/[\0\n]/.test(path) &&
      posix.normalize(path) === path &&
      !path.endsWith("/"),
    "must be an absolute path in normal form",
  );
const account = z.string().regex(/^[a-z_][a-z0-9_-]{0,30}$/, "must be a user or group name such as `orders`");
export const unitName = z
  .string()
  .max(255)
  .regex(/^[A-Za-z0-9:_\\@-][A-Za-z0-9:_.\\@-]*\.[a-z]+$/, "must be a unit name");

/** Project, stack and host of a scope. */
export const scopePart = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** Names of releases. */
export const releaseName = /^[A-Za-z0-9][A-Za-z0-9:_.@-]*$/;

/** Names of credentials: file names and ids of `LoadCredential=` that need no escape anywhere. */
export const credentialId = /^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,199}$/;

/** A system account that must exist before the first unit starts. One that exists is used as it is, never altered. */
export const bundleUserSchema = z.strictObject({
  name: account,
  /** Primary group. It is created with the account when absent. */
  group: account,
  home: absolutePath,
});

/** A file beside the units: an environment file, a health check's settings, a program. Always owned by root. */
export const bundleFileSchema = z.strictObject({
  path: absolutePath,
  /** Octal permission bits, four digits: `0600`. */
  mode: z.string().regex(/^0[0-7]{3}$/, "must be four octal digits such as 0600"),
  /** The whole content. */
  content: z.string(),
  /** How `content` stands for the file's bytes: as text, or in base64. */
  encoding: z.enum(["utf-8", "base64"]),
  /** Never shown: no byte and no digest of it leaves the host program, and its text is struck from every message. */
  secret: z.boolean(),
  /**
   * Name of the credential under which the host encrypts the content by systemd-creds before it writes it: no byte of the
   * content itself comes to a disk there. Absent: the content is written as it is.
   */
  seal: z.string().regex(credentialId).optional(),
});

/** An archive that was copied to the login user's home. */
const bundleArchiveSchema = z.strictObject({
  /** SHA-256 of the archive, an uncompressed tar. */
  sha256,
  /** Where the archive lies, relative to the login user's home. */
  upload: z.string().regex(/^[A-Za-z0-9._/-]+$/),
});

/** The environment of a release: built on the host, at its final path, when the host does not have it yet. */
export const bundleEnvironmentSchema = z.strictObject({
  /** SHA-256 over what decides its content: lock, wheels, wanted interpreter. The host adds its interpreter. */
  digest: sha256,
  /** Directory that holds the environments of this service, each in a directory of its own. */
  directory: absolutePath,
  lock: z.strictObject({
    kind: z.enum(["requirements", "uv", "none"]),
    /** The files of the lock; the first is the one to install from. */
    inputs: z.array(z.strictObject({ path: z.string().min(1), content: z.string() })),
    /** Whether every package must have one of the hashes that the lock names. */
    hashed: z.boolean(),
  }),
  /** Wanted interpreter: `3.12`, an absolute path, or null for the host's `python3`. */
  python: z.string().nullable(),
  installer: z.enum(["auto", "pip", "uv"]),
  /** Version of uv that is fetched for a build where the host has none; null for none. */
  uv: z.string().nullable(),
  /** Wheels that were shipped along; nothing is then taken from an index. */
  wheelhouse: bundleArchiveSchema.nullable(),
  /** File name of a wheel in the release that is installed too. */
  wheel: z.string().nullable(),
  /** Settings of the package index for both installers, secret; null for those of the host. */
  index: z.strictObject({ pip: z.string(), uv: z.string() }).nullable(),
  /** Seconds for one build. */
  buildSec: z.number().int().min(1).max(86_400),
});

/** Code of one service: an archive that was copied to the login user's home and is unpacked to a directory of its own. */
export const bundleReleaseSchema = z.strictObject({
  /** Name that units refer to in `restartOn.releases`. */
  name: z.string().regex(releaseName),
  /** SHA-256 of the archive, an uncompressed tar. */
  sha256,
  /** Where the archive lies, relative to the login user's home. */
  upload: z.string().regex(/^[A-Za-z0-9._/-]+$/),
  /** Where it is unpacked: a directory that belongs to this release alone. */
  directory: absolutePath,
  /** Symbolic link that is moved to `directory` in the transaction. */
  link: absolutePath,
  /** How many releases before this one stay on the host. */
  keep: z.number().int().min(0).max(100),
  /** Its environment, linked into it as `.venv`; null for none. */
  environment: bundleEnvironmentSchema.nullable(),
});

/** A command of a release that runs in a unit of its own, once for each release. */
export const bundleHookSchema = z.strictObject({
  /** Name of the release whose change makes it run. */
  release: z.string(),
  /** Unit that it belongs to. */
  unit: unitName,
  /** `check` and `pre-start` run before the switch, beside the old release; `post-start` after it. */
  kind: z.enum(["check", "pre-start", "post-start"]),
  /** SHA-256 of the command alone: another one runs though the release is the same. */
  digest: sha256,
  /** Text of the unit that runs it. */
  content: z.string(),
  /** Seconds that it may take. */
  seconds: z.number().int().min(1).max(86_400),
});

/**
 * Digests over one unit, each SHA-256 in hex, one for each class of change-class.ts. They decide what a change needs; the
 * host compares them with its ledger.
 */
export const bundleDigestsSchema = z.strictObject({
  /** The exact bytes of the file. */
  file: sha256,
  /** What only a restart applies to a running unit. */
  restart: sha256,
  /** What a reload applies to a running unit. */
  reload: sha256,
  /** Limits that a daemon-reload writes to the cgroup of a running unit. */
  limits: sha256,
  /** What else the manager applies by a daemon-reload. */
  manager: sha256,
  /** The [Install] section. */
  install: sha256,
});

/** One question to a running unit: as activation/health reads it, which checks the fields of each kind. */
export const bundleProbeSchema = z.looseObject({ kind: z.string(), timeoutSec: z.number().positive() });

/** The health gate of a unit: what must hold after a change of it, or the transaction goes back. */
export const bundleGateSchema = z.strictObject({
  /** All of them must be well. */
  probes: z.array(bundleProbeSchema).min(1),
  /** Seconds for which they must stay well, by the same run of the unit. */
  stableSec: z.number().min(0).max(3600),
  /** Seconds for all of it. */
  withinSec: z.number().min(0).max(86_400),
  /** Whether a probe holds a secret, so that messages say less of it. */
  confidential: z.boolean(),
});

export const bundleUnitSchema = z.strictObject({
  name: unitName,
  path: absolutePath,
  content: z.string(),
  digests: bundleDigestsSchema,
  /**
   * `started`: it runs after the transaction. `on-demand`: something else starts it (a timer, a socket, a dependant); the
   * transaction never starts it, and restarts it only if it runs; a oneshot at work is left to finish.
   */
  activation: z.enum(["started", "on-demand"]),
  /** Whether it has an [Install] section to enable. */
  enabled: z.boolean(),
  /** Things beside the unit whose change restarts it. */
  restartOn: z.strictObject({ files: z.array(absolutePath), releases: z.array(z.string()) }),
  /** Files beside the unit whose change reloads it, where nothing restarts it. */
  reloadOn: z.strictObject({ files: z.array(absolutePath) }),
  /** Directories that are removed with the unit, such as `/var/lib/orders`. */
  purge: z.array(absolutePath),
  /** Socket, timer and path units that can start this unit: held while it is stopped, never a reason to start it. */
  triggeredBy: z.array(unitName),
  /** Units whose stop or restart takes this one along (`Requires=`, `BindsTo=`, `PartOf=`): systemd does that by itself. */
  stopsWith: z.array(unitName),
  /**
   * Units whose stop stops this one (`StopPropagatedFrom=`, their `PropagatesStopTo=`), and later systemd (257, not 252) so
   * that a restart of those leaves this one down.
   */
  stopPropagatedFrom: z.array(unitName),
  /** Units, also of others, that must be up (`BindsTo=`): systemd stops this one as soon as it reads of one that is not. */
  bindsTo: z.array(unitName),
  /** Whether a reload means something to it. */
  canReload: z.boolean(),
  /** Whether it runs to an end and is then done: a oneshot without `RemainAfterExit=`. */
  isJob: z.boolean(),
  /** Whether a timer counts from a moment that has passed, so that starting it again could make it fire. */
  countsFromThePast: z.boolean(),
  /** `MemoryMax=` in bytes, null where it has none: a lower one needs a restart. */
  memoryMax: z.number().min(0).nullable(),
  /**
   * What a change does while it runs. `auto` follows the digests. `restart`: every change of a directive restarts, also one
   * that the manager could apply; only [Install] and comments do not. `reload`: what needs a restart is reloaded, where the
   * unit can reload before and after. `none`: it is left as it runs, and the receipt says so.
   */
  onChange: z.enum(["auto", "restart", "reload", "none"]),
  /** Seconds for which a started unit must stay up before it counts as running. */
  settleSec: z.number().min(0).max(3600),
  /** What it must pass after it was started, restarted or reloaded; null for no gate. */
  gate: bundleGateSchema.nullable(),
});

/** What one host must become: everything that the host program needs, and nothing that it would have to guess. */
export const bundleSchema = z.strictObject({
  format: z.literal(1),
  /** `project/stack/host`: whose files these are. Two scopes on one machine keep apart. */
  scope: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*){2}$/, "must be project/stack/host"),
  users: z.array(bundleUserSchema),
  files: z.array(bundleFileSchema),
  releases: z.array(bundleReleaseSchema),
  hooks: z.array(bundleHookSchema),
  units: z.array(bundleUnitSchema),
  /** Paths of `files` and `units` that may take the place of what others made on the host. What was there is given back. */
  adopt: z.array(absolutePath),
  /** How many generations the host keeps to go back to, the present one included. */
  keepGenerations: z.number().int().min(1).max(50),
  bounds: z.strictObject({
    /** Seconds for the whole transaction on the host, its way back not included. */
    transactionSec: z.number().int().min(1).max(86_400),
    /** Seconds for any one wait on systemd: a start, a stop, a reload. */
    waitSec: z.number().int().min(1).max(86_400),
    /** Seconds within which the change must be confirmed over a new connection, or it is taken back; 0: it need not be. */
    confirmSec: z.number().int().min(0).max(3600),
  }),
});

export type BundleUser = z.infer<typeof bundleUserSchema>;
export type BundleFile = z.infer<typeof bundleFileSchema>;
export type BundleRelease = z.infer<typeof bundleReleaseSchema>;
export type BundleEnvironment = z.infer<typeof bundleEnvironmentSchema>;
export type BundleHook = z.infer<typeof bundleHookSchema>;
export type BundleDigests = z.infer<typeof bundleDigestsSchema>;
export type BundleGate = z.infer<typeof bundleGateSchema>;
export type BundleUnit = z.infer<typeof bundleUnitSchema>;
export type Bundle = z.infer<typeof bundleSchema>;
