export type {
  DefinedEnvironment,
  DefinedFile,
  DefinedHook,
  DefinedLockInput,
  DefinedRelease,
  DefinedUnit,
  DefinedUser,
  DefinedWaiver,
  Definition,
  DefinitionSource,
  UnitReference,
} from "./definition.ts";
export {
  type CommandProbeArgs,
  type DiskProbeArgs,
  type FileProbeArgs,
  HealthAction,
  HealthCheck,
  type HealthCheckArgs,
  type HealthProbesArgs,
  type HealthTestArgs,
  type HttpProbeArgs,
  type MemoryProbeArgs,
  type TcpProbeArgs,
  type UnixSocketProbeArgs,
} from "./health-check.ts";
export type { HealthGateArgs } from "./health-gate.ts";
export { Host, type HostArgs } from "./host.ts";
export type { HostConnectionArgs, HostProxyArgs } from "./host-connection.ts";
export type { HostAction, HostReceipt, HostSwap, HostUnit } from "./host-receipt.ts";
export { OlderSystemd } from "./host-systemd.ts";
export { HostVerify } from "./host-verify.ts";
export {
  type MailArgs,
  MailSecurity,
  Notifier,
  type NotifierArgs,
  type NotifierReference,
  type SendmailArgs,
  type WebhookArgs,
  WebhookShape,
} from "./notifier.ts";
export { PythonService, type PythonServiceArgs } from "./python-service.ts";
export { Installer, type PackageIndexArgs, type ReleaseArgs } from "./release-args.ts";
export type * from "./section-args.generated.ts";
export { Service, type ServiceArgs } from "./service.ts";
export { OnChange, SandboxProfile, ServiceType } from "./service-args.ts";
export { CredentialsAtRest } from "./service-credentials.ts";
export { SocketUnit, type SocketUnitArgs } from "./socket-unit.ts";
export { StartFailureMode } from "./start-failure.ts";
export { Timer } from "./timer.ts";
export { OnOverlap, type TimerArgs, type TimerScheduleArgs } from "./timer-args.ts";
export { Unit, type UnitArgs } from "./unit.ts";
export type { WaiverArgs } from "./waiver.ts";
