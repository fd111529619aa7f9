import { calendarProblem } from "../calendar.ts";
import type { Directive, DirectiveKind } from "../directive.ts";
import { specifierProblem, specifiersIn } from "../specifiers.ts";
import { booleanProblem } from "./boolean.ts";
import { bytesProblem, memorySizeProblem, taskCountProblem } from "./bytes.ts";
import { enumProblem } from "./choice.ts";
import { commandProblem } from "./command.ts";
import { cpuSetProblem } from "./cpu-set.ts";
import { credentialPathProblem, credentialPatternProblem, credentialValueProblem } from "./credential.ts";
import {
  deviceAccessProblem,
  deviceBytesProblem,
  deviceOperationsProblem,
  deviceTimeSpanProblem,
  deviceWeightProblem,
} from "./device.ts";
import {
  environmentNamesProblem,
  environmentProblem,
  environmentRemovalsProblem,
  journalFieldsProblem,
} from "./environment-words.ts";
import { integerProblem, modeProblem } from "./integer.ts";
import {
  bindPathsProblem,
  extensionImagesProblem,
  imageOptionsProblem,
  mountImagesProblem,
  rootHashProblem,
  rootHashSignatureProblem,
  tmpfsProblem,
} from "./mount.ts";
import {
  ipPrefixesProblem,
  netlinkProblem,
  networkInterfaceProblem,
  networkInterfacesProblem,
  nftSetProblem,
  socketBindProblem,
} from "./network.ts";
import {
  absolutePathProblem,
  absolutePathsProblem,
  conditionPathProblem,
  directoryNamesProblem,
  environmentFileProblem,
  pidFileProblem,
  sandboxPathsProblem,
  searchPathProblem,
  workingDirectoryProblem,
} from "./path.ts";
import { cpuQuotaProblem, percentProblem } from "./percent.ts";
import { resourceLimitProblem } from "./resource-limit.ts";
import { errnoProblem, exitStatusesProblem, signalProblem } from "./signal.ts";
import { messageQueueProblem, socketAddressProblem } from "./socket-address.ts";
import {
  base64Problem,
  bpfProgramProblem,
  busNameProblem,
  conditionBooleanProblem,
  controlGroupNameProblem,
  descriptorNameProblem,
  escapedTextProblem,
  imagePolicyProblem,
  instanceProblem,
  logNamespaceProblem,
  openFileProblem,
  rebootArgumentProblem,
  standardInputProblem,
  standardOutputProblem,
  urisProblem,
} from "./text.ts";
import { parsedTimeSpan, timeSpanProblem } from "./time-span.ts";
import { unitReferenceProblem, unitReferencesProblem } from "./unit-reference.ts";
import { userProblem, usersProblem } from "./user.ts";
import { received, type ValueCheck } from "./value-check.ts";
import {
  addressFamiliesProblem,
  architecturesProblem,
  capabilitiesProblem,
  controllersProblem,
  coredumpFilterProblem,
  delegateProblem,
  fileSystemsProblem,
  namespacesProblem,
  personalityProblem,
  secureBitsProblem,
  syslogFacilityProblem,
  syslogLevelProblem,
  systemCallsProblem,
} from "./word-set.ts";

const anything: ValueCheck = () => undefined;

const checks: Readonly<Record<DirectiveKind, ValueCheck>> = {
  "absolute-path": absolutePathProblem,
  "absolute-paths": absolutePathsProblem,
  "address-families": addressFamiliesProblem,
  architectures: architecturesProblem,
  base64: base64Problem,
  "bind-paths": bindPathsProblem,
  boolean: (value) => booleanProblem(value),
  "bpf-program": bpfProgramProblem,
  "bus-name": busNameProblem,
  bytes: (value) => bytesProblem(value),
  calendar: (value) => (specifiersIn(value).length > 0 ? undefined : calendarProblem(value)),
  capabilities: capabilitiesProblem,
  command: commandProblem,
  "condition-boolean": conditionBooleanProblem,
  "condition-path": conditionPathProblem,
  "condition-string": anything,
  "control-group-name": controlGroupNameProblem,
  controllers: controllersProblem,
  "coredump-filter": coredumpFilterProblem,
  "cpu-quota": (value) => cpuQuotaProblem(value),
  "cpu-set": cpuSetProblem,
  "cpu-weight": (value) => (value === "idle" ? undefined : integerProblem(value, 1, 10000)),
  "credential-path": credentialPathProblem,
  "credential-pattern": credentialPatternProblem,
  "credential-value": credentialValueProblem,
  delegate: delegateProblem,
  "descriptor-name": descriptorNameProblem,
  "device-access": deviceAccessProblem,
  "device-bytes": deviceBytesProblem,
  "device-operations": deviceOperationsProblem,
  "device-time-span": deviceTimeSpanProblem,
  "device-weight": deviceWeightProblem,
  "directory-names": directoryNamesProblem,
  enum: enumProblem,
  environment: environmentProblem,
  "environment-file": environmentFileProblem,
  "environment-names": environmentNamesProblem,
  "environment-removals": environmentRemovalsProblem,
  errno: errnoProblem,
  "escaped-text": escapedTextProblem,
  "exit-statuses": exitStatusesProblem,
  "extension-images": extensionImagesProblem,
  "file-systems": fileSystemsProblem,
  "image-options": imageOptionsProblem,
  "image-policy": imagePolicyProblem,
  instance: instanceProblem,
  integer: (value, { min, max }) => integerProblem(value, min ?? 0, max ?? Number.MAX_SAFE_INTEGER),
  "ip-prefixes": ipPrefixesProblem,
  "journal-fields": journalFieldsProblem,
  "log-namespace": logNamespaceProblem,
  "log-pattern": anything,
  "memory-size": memorySizeProblem,
  "message-queue": messageQueueProblem,
  mode: (value) => modeProblem(value),
  "mount-images": mountImagesProblem,
  namespaces: namespacesProblem,
  nanoseconds: (value) => timeSpanProblem(value, { bareUnit: "ns" }),
  netlink: netlinkProblem,
  "network-interface": networkInterfaceProblem,
  "network-interfaces": networkInterfacesProblem,
  "nft-set": nftSetProblem,
  obsolete: anything,
  "open-file": openFileProblem,
  percent: (value) => percentProblem(value),
  personality: personalityProblem,
  "pid-file": pidFileProblem,
  "reboot-argument": rebootArgumentProblem,
  "resource-limit": resourceLimitProblem,
  "root-hash": rootHashProblem,
  "root-hash-signature": rootHashSignatureProblem,
  "sandbox-paths": sandboxPathsProblem,
  "search-path": searchPathProblem,
  "secure-bits": secureBitsProblem,
  signal: signalProblem,
  "socket-address": socketAddressProblem,
  "socket-bind": socketBindProblem,
  "standard-input": standardInputProblem,
  "standard-output": standardOutputProblem,
  string: anything,
  "syslog-facility": syslogFacilityProblem,
  "syslog-level": syslogLevelProblem,
  "system-calls": systemCallsProblem,
  "task-count": taskCountProblem,
  "time-span": timeSpanValueProblem,
  tmpfs: tmpfsProblem,
  uris: urisProblem,
  "unit-name": unitReferenceProblem,
  "unit-names": unitReferencesProblem,
  user: userProblem,
  users: usersProblem,
  verbatim: anything,
  "working-directory": workingDirectoryProblem,
};

/** Kinds in which systemd expands specifiers such as `%h` (asked of systemd 252). */
const expanding: ReadonlySet<DirectiveKind> = new Set<DirectiveKind>([
  "absolute-path",
  "absolute-paths",
  "bind-paths",
  "bpf-program",
  "bus-name",
  "calendar",
  "command",
  "condition-boolean",
  "condition-path",
  "condition-string",
  "cpu-set",
  "credential-path",
  "descriptor-name",
  "device-access",
  "directory-names",
  "environment",
  "environment-file",
  "environment-names",
  "environment-removals",
  "escaped-text",
  "extension-images",
  "image-options",
  "instance",
  "journal-fields",
  "log-namespace",
  "message-queue",
  "mount-images",
  "netlink",
  "network-interface",
  "pid-file",
  "reboot-argument",
  "sandbox-paths",
  "search-path",
  "socket-address",
  "string",
  "tmpfs",
  "unit-name",
  "unit-names",
  "uris",
  "user",
  "users",
  "working-directory",
]);

/**
 * Why systemd would refuse or ignore a value of this directive, or undefined. One sentence that begins with what was
 * received; values that may be secret (variables, credentials, command arguments, standard input) are never echoed.
 * What is not known for certain is accepted, also what stands behind a specifier such as `%h`. The empty value is the
 * business of `Directive.empty` and always accepted.
 * @param systemdVersion Version of the target, such as 252.
 * @default any version
 */
export function valueProblem(directive: Directive, value: string, systemdVersion?: number): string | undefined {
  if (value === "") return undefined;
  if (expanding.has(directive.kind)) {
    const problem = specifierProblem(value, systemdVersion);
    if (problem !== undefined) return problem;
  }
  return checks[directive.kind](value, directive, systemdVersion);
}

/** Whether systemd expands specifiers such as `%h` in values of the directive. */
export function expandsSpecifiers(directive: Directive): boolean {
  return expanding.has(directive.kind);
}

/** Kinds whose values may hold a secret. */
const secretKinds: ReadonlySet<DirectiveKind> = new Set<DirectiveKind>([
  "base64",
  "command",
  "credential-value",
  "environment",
  "environment-removals",
  "escaped-text",
]);

/** Whether values of the directive may hold a secret, so that nothing may echo them. */
export function mayHoldSecret(directive: Directive): boolean {
  return secretKinds.has(directive.kind);
}

function timeSpanValueProblem(value: string, directive: Directive): string | undefined {
  const problem = timeSpanProblem(value);
  if (problem !== undefined || directive.min === undefined) return problem;
  return parsedTimeSpan(value) < directive.min * 1_000_000
    ? `${received(value)} is too short; write ${directive.min}s or more`
    : undefined;
}
