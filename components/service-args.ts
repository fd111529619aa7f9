import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { sandboxProfileNames } from "../systemd/profiles.ts";
import {
  accountName,
  hostPath,
  onChange,
  sectionDirectives,
  timeSpan,
  unitName,
  unitReference,
  variableName,
} from "./argument-schema.ts";
import { type ConfigFileArgs, type ConfigFilesPlain, configFilesSchema, configPaths } from "./config-files.ts";
import type { UnitReference } from "./definition.ts";
import type { HealthGateArgs } from "./health-gate.ts";
import { type ReadyWhenArgs, type ReadyWhenPlain, readyWhenSchema, watchdogProblem } from "./ready-when.ts";
import { releaseShape } from "./release-args.ts";
import type { InstallSectionArgs, ServiceSectionArgs, UnitSectionArgs } from "./section-args.generated.ts";
import {
  type CredentialArgs,
  type CredentialsAtRest,
  credentialDirective,
  credentialShape,
} from "./service-credentials.ts";
import { type InstanceArgs, instanceShape } from "./service-instances.ts";
import type { StartFailureMode } from "./start-failure.ts";
import { type WaiverArgs, waivers } from "./waiver.ts";

/** How systemd learns that a service is up: `Type=` of systemd.service(5). */
export const ServiceType = {
  /** Up as soon as the process is forked. A missing program is noticed too late: prefer `exec`. */
  Simple: "simple",
  /** Up when the program was executed. */
  Exec: "exec",
  /** Up when the program says `READY=1` on the notify socket. */
  Notify: "notify",
  /** Up when the program has forked and its first process ended. */
  Forking: "forking",
  /** Up when the program has ended. */
  Oneshot: "oneshot",
  /** Up when the program has taken its name on the bus. */
  Dbus: "dbus",
  /** Like `simple`, but started after all other jobs. */
  Idle: "idle",
} as const;
export type ServiceType = (typeof ServiceType)[keyof typeof ServiceType];

/** What a change of a unit does to it while it runs. */
export const OnChange = {
  /** Restart, reload or neither, by what the changed directive needs. */
  Auto: "auto",
  /** Always restart. */
  Restart: "restart",
  /** Reload, also where a restart would be needed. */
  Reload: "reload",
  /** Leave it; the receipt says that it still runs the old definition. */
  None: "none",
} as const;
export type OnChange = (typeof OnChange)[keyof typeof OnChange];

/** The sandbox of a service, by the kind of program that it is for. docs/hardening.md has what each holds and its score. */
export const SandboxProfile = {
  /**
   * No network of its own, for programs that compute on what they are given. It still serves the connections that a
   * socket unit hands to it. Exposure 0.2.
   */
  Strict: "strict",
  /** Connects to others and offers nothing: queue workers, bots. Exposure 1.1. */
  NetworkClient: "network-client",
  /** Listens on a port of 1024 or more, and connects to others. Exposure 1.3. */
  NetworkServer: "network-server",
  /** The least, for programs that need hardware, capabilities or a sandbox of their own. Exposure 7.6. */
  Trusted: "trusted",
} as const;
export type SandboxProfile = (typeof SandboxProfile)[keyof typeof SandboxProfile];

/** Arguments that every kind of service has. */
export interface ServiceCommonArgs {
  /** One line for people, shown by systemctl and in the journal. Default: the name of the service. */
  description?: pulumi.Input<string>;
  /** URIs of documentation. Default: none. */
  documentation?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Program and arguments, one word each, exactly as the process receives them: nothing is expanded, no shell is involved.
   * The program is an absolute path or a plain name that systemd looks up.
   */
  exec: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * How many instances of the service run: units `NAME@1.service`, `NAME@2.service` and so on. A change restarts them one
   * after the other, each once the one before is up and passes `health`; where one does not, all go back. `%i` in `exec`,
   * `environment`, `environmentFiles`, `workingDirectory`, `description` and `health` is the instance's name, so
   * `PORT: "80%i"` gives each a port of its own; `%%i` is a plain `%i`. Default: one service without instances.
   */
  instances?: number;
  /** Names of the instances, in place of their number: `["eu", "us"]` gives `NAME@eu.service` and `NAME@us.service`. */
  instanceNames?: string[];
  /** How systemd learns that the service is up. Default: `notify` when `watchdogSec` is given, else `exec`. */
  type?: pulumi.Input<ServiceType>;
  /** Account that runs it. Default: a dynamic user of its own (`DynamicUser=yes`). */
  user?: pulumi.Input<string>;
  /** Group that runs it. Default: the primary group of `user`. */
  group?: pulumi.Input<string>;
  /** Whether `user` (and `group`) are created as system accounts when the host does not have them. Default: false. */
  createUser?: pulumi.Input<boolean>;
  /**
   * The sandbox: a set of directives of [Service], made for one kind of program. A directive that does not suit the program
   * is changed by its name in `service`. Default: `network-server`.
   */
  profile?: pulumi.Input<SandboxProfile>;
  /** Directory that the process starts in, an absolute path on the host. Default: `/`. */
  workingDirectory?: pulumi.Input<string>;
  /** Variables of the process, visible to every user of the host. Nothing secret belongs here. Default: none. */
  environment?: pulumi.Input<{ [name: string]: pulumi.Input<string> }>;
  /** Files of variables that are already on the host, absolute paths; a leading `-` lets one be missing. Default: none. */
  environmentFiles?: pulumi.Input<pulumi.Input<string>[]>;
  /** Variables that are secret. They go to a file that only root reads, and nowhere else. Default: none. */
  secretEnvironment?: pulumi.Input<{ [name: string]: pulumi.Input<string> }>;
  /**
   * Secret texts that the program reads as the files `$CREDENTIALS_DIRECTORY/NAME`. Unlike a variable, such a file is not
   * inherited by child processes and shows up in no crash report. The names are visible in the unit. Default: none.
   */
  credentials?: pulumi.Input<{ [name: string]: pulumi.Input<string> }>;
  /** The same for bytes that are no text, such as a keystore: each value is base64. Default: none. */
  credentialsBase64?: pulumi.Input<{ [name: string]: pulumi.Input<string> }>;
  /**
   * How `credentials` and `credentialsBase64` lie on the host's disk, its kept generations included: `plain`, in files that
   * only root reads, or `encrypted` by systemd-creds with the host's own key (`LoadCredentialEncrypted=`), which needs
   * systemd 250. Default: `plain`.
   */
  credentialsAtRest?: pulumi.Input<CredentialsAtRest>;
  /**
   * Files on the host that the program reads, by their absolute path. They belong to the service: destroyed with it, and a
   * file of somebody else is not overwritten unless the Host's `adopt` names it. A change of nothing else reloads a service
   * that can, and restarts others. Default: none.
   */
  configFiles?: pulumi.Input<{ [path: string]: pulumi.Input<ConfigFileArgs> }>;
  /**
   * Command that has the running program read its configuration again (`ExecReload=`), one word each as for `exec`; it finds
   * the main process in `$MAINPID`. It must end once the program has done so. Default: none.
   */
  reload?: pulumi.Input<pulumi.Input<string>[]>;
  /** Signal by which the program reads its configuration again, such as `SIGHUP`, in place of `reload`. Default: none. */
  reloadSignal?: pulumi.Input<string>;
  /** Units that must be up before this one starts; if one of them stops, so does this. Orders and requires. Default: none. */
  requires?: pulumi.Input<pulumi.Input<string>[]>;
  /** Units that are started with this one, which starts all the same when they fail. Orders and wants. Default: none. */
  wants?: pulumi.Input<pulumi.Input<string>[]>;
  /** Units after which this one starts when both do. Default: `network.target`. */
  after?: pulumi.Input<pulumi.Input<string>[]>;
  /** Longest silence before the service is killed and restarted, a time span such as `90s`. Default: no watchdog. */
  watchdogSec?: pulumi.Input<string>;
  /**
   * What it must answer to count as up, for a program that cannot tell systemd itself: a process beside it asks. The service
   * is then of type `notify`, units after it wait until it answers, and with `watchdogSec` a program that stops answering is
   * killed and restarted. Default: none.
   */
  readyWhen?: pulumi.Input<ReadyWhenArgs>;
  /** When systemd restarts it: a value of `Restart=`. Default: `on-failure`. */
  restart?: pulumi.Input<string>;
  /** Pause before a restart, a time span. Default: `5s`. */
  restartSec?: pulumi.Input<string>;
  /** Longest start, a time span. Default: systemd's own, 90 s. */
  timeoutStartSec?: pulumi.Input<string>;
  /**
   * What systemd does to a start that takes longer: a value of `TimeoutStartFailureMode=`. Default: `kill` for a service that
   * tells when it is up (`type` notify or dbus, `readyWhen` with another probe than a command) and has no other command in its
   * start: until then it serves nobody, and one that hangs may heed no SIGTERM. Else systemd's own, `terminate`.
   */
  timeoutStartFailureMode?: pulumi.Input<StartFailureMode>;
  /** Longest stop before it is killed, a time span. Default: systemd's own, 90 s. */
  timeoutStopSec?: pulumi.Input<string>;
  /** Socket that hands its connections to the service and stays open while the service restarts. Default: none. */
  socket?: UnitReference;
  /** Whether only something else starts it: its socket's first connection, a timer, a dependant. Default: false. */
  onDemand?: pulumi.Input<boolean>;
  /**
   * Whether its data goes when the service does: StateDirectory=, CacheDirectory=, LogsDirectory= and ConfigurationDirectory=.
   * Default: false, they stay.
   */
  purge?: pulumi.Input<boolean>;
  /** What a change does while the service runs. Default: `auto`. */
  onChange?: pulumi.Input<OnChange>;
  /** Seconds for which it must stay up after a start before the update counts it as running. Default: 1. */
  settleSec?: pulumi.Input<number>;
  /**
   * What it must pass after an update started, restarted or reloaded it; else the host goes back and the update fails with
   * the last answer. The probes are those of HealthCheck. Default: none.
   */
  health?: HealthGateArgs;
  /** Any directive of [Unit] by its systemd name; overrides what the arguments above give. Default: none. */
  unit?: pulumi.Input<UnitSectionArgs>;
  /** Any directive of [Service] by its systemd name; overrides the arguments above and the profile. Default: none. */
  service?: pulumi.Input<ServiceSectionArgs>;
  /** Any directive of [Install] by its systemd name. Default: `WantedBy=multi-user.target`. */
  install?: pulumi.Input<InstallSectionArgs>;
  /** Lints and policies that the service may break until a date, each with a reason. Default: none. */
  waive?: pulumi.Input<pulumi.Input<WaiverArgs>[]>;
}

const commonShape = {
  description: z.string().optional(),
  documentation: z.array(z.string()).optional(),
  exec: z.array(z.string()).min(1, "is empty; give a program and its arguments, one word each"),
  ...instanceShape,
  type: z.enum(["simple", "exec", "notify", "forking", "oneshot", "dbus", "idle"]).optional(),
  user: accountName.optional(),
  group: accountName.optional(),
  createUser: z.boolean().optional(),
  profile: z.enum(sandboxProfileNames).optional(),
  workingDirectory: hostPath.optional(),
  environment: z.record(variableName, z.string()).optional(),
  environmentFiles: z.array(z.string().regex(/^-?\//, "must be absolute paths on the host")).optional(),
  secretEnvironment: z.record(variableName, z.string()).optional(),
  ...credentialShape,
  configFiles: configFilesSchema.optional(),
  reload: z.array(z.string()).min(1, "is empty; give a program and its arguments, one word each").optional(),
  reloadSignal: z
    .string()
    .regex(/^(SIG)?(HUP|USR1|USR2|WINCH|RTMIN(\+\d{1,2})?|RTMAX(-\d{1,2})?)$/, {
      error: ({ input }) => `${JSON.stringify(input)} is no signal for that; write SIGHUP, SIGUSR1, SIGUSR2 or another`,
    })
    .optional(),
  requires: z.array(unitName).optional(),
  wants: z.array(unitName).optional(),
  after: z.array(unitName).optional(),
  watchdogSec: timeSpan.optional(),
  readyWhen: readyWhenSchema.optional(),
  restart: z.enum(["no", "on-success", "on-failure", "on-abnormal", "on-watchdog", "on-abort", "always"]).optional(),
  restartSec: timeSpan.optional(),
  timeoutStartSec: timeSpan.optional(),
  timeoutStartFailureMode: z.enum(["terminate", "abort", "kill"]).optional(),
  timeoutStopSec: timeSpan.optional(),
  socket: unitReference.optional(),
  onDemand: z.boolean().optional(),
  purge: z.boolean().optional(),
  onChange: onChange.optional(),
  settleSec: z.number().min(0).max(3600).optional(),
  /** Checked apart from the rest: it may hold a secret. */
  health: z.looseObject({}).optional(),
  unit: sectionDirectives("service", "Unit").optional(),
  service: sectionDirectives("service", "Service").optional(),
  install: sectionDirectives("service", "Install").optional(),
  waive: waivers.optional(),
};

const createdUser = {
  path: ["createUser"],
  error: "is true without user; name the account that is to be created",
};

function isUserNamed({ user, createUser }: { user?: string | undefined; createUser?: boolean | undefined }): boolean {
  return createUser !== true || user !== undefined;
}

const assignedTwice = {
  path: ["credentials"],
  error:
    "is given together with service.LoadCredential (or LoadCredentialEncrypted, where they are encrypted), which would take its place; keep one of the two",
};

const ownSockets = {
  path: ["socket"],
  error:
    "hands its connections to one service, and this one has instances; let each listen itself, at a port with `%i`",
};

function isAlone({ socket, instances, instanceNames }: InstanceArgs & { socket?: object | undefined }): boolean {
  return socket === undefined || (instances === undefined && instanceNames === undefined);
}

/** The same directive in `service` would silently drop the lines of `credentials`. */
function isAssignedOnce(args: CredentialArgs & { service?: object | undefined }): boolean {
  const given = args.credentials !== undefined || args.credentialsBase64 !== undefined;
  return !given || !(credentialDirective(args) in (args.service ?? {}));
}

/** Probes beside the program speak for it, so it must be of the type that waits for them, and have time for them. */
function checkReadyWhen(
  {
    readyWhen,
    type,
    watchdogSec,
  }: { readyWhen?: ReadyWhenPlain | undefined; type?: string | undefined; watchdogSec?: string | undefined },
  context: z.RefinementCtx,
): void {
  if (readyWhen === undefined) return;
  if (type !== undefined && type !== "notify") {
    const message = `is ${JSON.stringify(type)} and readyWhen needs notify; leave it out`;
    context.addIssue({ code: "custom", path: ["type"], message });
  }
  const problem = watchdogSec === undefined ? undefined : watchdogProblem(readyWhen, watchdogSec);
  if (problem !== undefined) context.addIssue({ code: "custom", path: ["watchdogSec"], message: problem });
}

/** What is said about a reload must be possible. */
function checkReload(args: ReloadArgs, context: z.RefinementCtx): void {
  const add = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
  if (args.reload !== undefined && args.reloadSignal !== undefined) {
    add(["reloadSignal"], "is given together with reload; keep one of the two");
  }
  if ((args.reload ?? args.reloadSignal) !== undefined && "ExecReload" in (args.service ?? {})) {
    add(["service", "ExecReload"], "is given together with reload or reloadSignal, which say the same; keep one");
  }
  if (canReload(args)) return;
  for (const path of configPaths(args.configFiles, false, "reload")) {
    add(["configFiles", path, "onChange"], "is reload, and the service cannot; give `reload` or `reloadSignal`");
  }
}

interface ReloadArgs {
  configFiles?: ConfigFilesPlain | undefined;
  reload?: string[] | undefined;
  reloadSignal?: string | undefined;
  service?: object | undefined;
}

/** Whether a service says how it reads its configuration again. */
export function canReload({ reload, reloadSignal, service = {} }: ReloadArgs): boolean {
  const isNotified = "Type" in service && service.Type === "notify-reload";
  return reload !== undefined || reloadSignal !== undefined || "ExecReload" in service || isNotified;
}

/** `ServiceCommonArgs` after all Outputs are known. */
export const serviceSchema = z
  .strictObject(commonShape)
  .refine(isUserNamed, createdUser)
  .refine(isAssignedOnce, assignedTwice)
  .refine(isAlone, ownSockets)
  .superRefine(checkReload)
  .superRefine(checkReadyWhen);

/** `PythonServiceArgs` after all Outputs are known. */
export const pythonServiceSchema = z
  .strictObject({
    ...commonShape,
    ...releaseShape,
    directory: hostPath.optional(),
    interpreter: z.string().min(1).optional(),
  })
  .refine(isUserNamed, createdUser)
  .refine(isAssignedOnce, assignedTwice)
  .refine(isAlone, ownSockets)
  .superRefine(checkReload)
  .superRefine(checkReadyWhen);

export type ServicePlain = z.infer<typeof serviceSchema>;
export type PythonServicePlain = z.infer<typeof pythonServiceSchema>;
