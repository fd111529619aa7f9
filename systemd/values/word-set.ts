import { directiveNames } from "../directive-names.generated.ts";
import { newestSystemd } from "../directives.ts";
import { didYouMean } from "../nearest.ts";
import { parsedBoolean } from "./boolean.ts";
import { choiceProblem } from "./choice.ts";
import { parsedInteger } from "./integer.ts";
import { errorNumberProblem } from "./signal.ts";
import { firstWordProblem, received, type ValueCheck, versionProblem } from "./value-check.ts";

const families = new Set(directiveNames.addressFamilies.map((family) => family.toLowerCase()));
const systemCalls = new Set(directiveNames.systemCalls);
const groupSince: Readonly<Record<string, number>> = { "@sandbox": 253 };

/** Why a value is no list of socket families (`AF_INET AF_UNIX`), all but those (`~AF_PACKET`), or none (249). */
export const addressFamiliesProblem: ValueCheck = (value, _directive, systemd) => {
  if (value === "none") return versionProblem(value, 249, systemd);
  return firstWordProblem(withoutTilde(value), (word) => {
    if (families.has(word.toLowerCase())) return undefined;
    if (word.includes(",")) return `${received(word)} is no socket family; families are separated by blanks`;
    const nearest = didYouMean(/^AF_/i.test(word) ? word : `AF_${word}`, directiveNames.addressFamilies);
    return `${received(word)} is no socket family; write e.g. AF_INET, AF_INET6 or AF_UNIX${nearest}`;
  });
};

/** Why a value is no list of capabilities (`CAP_CHOWN`, in any case, or numbers), or all but those (`~CAP_SYS_ADMIN`). */
export const capabilitiesProblem: ValueCheck = (value) =>
  firstWordProblem(withoutTilde(value), (word) => {
    const number = parsedInteger(word);
    if (directiveNames.capabilities.includes(word.toUpperCase())) return undefined;
    if (number !== undefined && number >= 0n && number <= 62n) return undefined;
    const nearest = didYouMean(/^CAP_/i.test(word) ? word : `CAP_${word}`, directiveNames.capabilities);
    const tilde = word.startsWith("~") ? "; a ~ stands once, at the beginning of the value" : nearest;
    const hint = word.includes(",") ? "; capabilities are separated by blanks" : tilde;
    return `${received(word)} is no capability; systemd ignores it without a word${hint}`;
  });

/** Why a value is no list of system calls and `@groups`, each with `:errno` as needed, or all but those (`~`). */
export const systemCallsProblem: ValueCheck = (value, directive, systemd) =>
  firstWordProblem(withoutTilde(value), (word) => {
    const colon = word.indexOf(":");
    const name = colon < 0 ? word : word.slice(0, colon);
    const error = colon < 0 ? undefined : word.slice(colon + 1);
    const problem = name.startsWith("@") ? groupProblem(name, systemd) : callProblem(name, systemd);
    if (problem !== undefined || error === undefined) return problem;
    if (directive.name !== "SystemCallFilter" || !value.startsWith("~")) {
      return `${received(word)} names an error, which only calls that are refused can have (SystemCallFilter=~...)`;
    }
    return error === "kill" || error === "0" ? undefined : errorNumberProblem(error);
  });

/** Why a value is neither a boolean nor a list of kinds of namespaces, or all but those (`~user`). */
export const namespacesProblem: ValueCheck = (value) =>
  parsedBoolean(value) !== undefined
    ? undefined
    : firstWordProblem(withoutTilde(value), (word) => choiceProblem(word, ["yes", "no", ...directiveNames.namespaces]));

/** Why a value is neither a boolean nor a list of control group controllers. */
export const delegateProblem: ValueCheck = (value, directive, systemd) =>
  parsedBoolean(value) !== undefined ? undefined : controllersProblem(value, directive, systemd);

/** Why a value is no list of control group controllers. */
export const controllersProblem: ValueCheck = (value, _directive, systemd) =>
  systemd !== undefined && systemd > newestSystemd
    ? undefined
    : firstWordProblem(value, (word) => choiceProblem(word, directiveNames.controllers));

/** Why a value is no list of architectures. */
export const architecturesProblem: ValueCheck = (value) =>
  firstWordProblem(value, (word) => choiceProblem(word, directiveNames.architectures));

/** Why a value is no architecture that a kernel may pretend to be. */
export const personalityProblem: ValueCheck = (value) =>
  choiceProblem(
    value,
    directiveNames.architectures.filter((architecture) => architecture !== "native"),
  );

/** Why a value is no list of secure bits. */
export const secureBitsProblem: ValueCheck = (value) =>
  firstWordProblem(value, (word) => choiceProblem(word, directiveNames.secureBits));

const memoryKinds = [
  "private-anonymous",
  "shared-anonymous",
  "private-file-backed",
  "shared-file-backed",
  "elf-headers",
  "private-huge",
  "shared-huge",
  "private-dax",
  "shared-dax",
  "all",
  "default",
];

/** Why a value is no list of kinds of memory for core dumps, and no hexadecimal mask. */
export const coredumpFilterProblem: ValueCheck = (value) =>
  firstWordProblem(value, (word) => (/^\+?(0x)?[0-9a-f]+$/i.test(word) ? undefined : choiceProblem(word, memoryKinds)));

const fileSystemGroups = [
  "@anonymous",
  "@application",
  "@auxiliary-api",
  "@basic-api",
  "@common-block",
  "@historical-block",
  "@known",
  "@network",
  "@privileged-api",
  "@security",
  "@temporary",
];

/** Why a value is no list of file system types and `@groups`, or all but those (`~`). The types are the kernel's. */
export const fileSystemsProblem: ValueCheck = (value, _directive, systemd) =>
  firstWordProblem(withoutTilde(value), (word) =>
    !word.startsWith("@") || fileSystemGroups.includes(word) || (systemd !== undefined && systemd > newestSystemd)
      ? undefined
      : `${received(word)} is no group of file systems${didYouMean(word, fileSystemGroups)}`,
  );

/** Why a value is no syslog facility: its name, or a number up to 127. */
export const syslogFacilityProblem: ValueCheck = (value) =>
  numberedChoiceProblem(value, directiveNames.syslogFacilities, 127n);

/** Why a value is no syslog level: its name, or a number from 0 (emerg) to 7 (debug). */
export const syslogLevelProblem: ValueCheck = (value) => numberedChoiceProblem(value, directiveNames.syslogLevels, 7n);

function numberedChoiceProblem(value: string, names: readonly string[], max: bigint): string | undefined {
  const number = parsedInteger(value);
  return number !== undefined && number >= 0n && number <= max ? undefined : choiceProblem(value, names);
}

function withoutTilde(value: string): string {
  return value.replace(/^~/, "");
}

function groupProblem(name: string, systemd: number | undefined): string | undefined {
  if (directiveNames.systemCallGroups.includes(name)) return versionProblem(name, groupSince[name], systemd);
  if (systemd !== undefined && systemd > newestSystemd) return undefined;
  return `${received(name)} is no group of system calls${didYouMean(name, directiveNames.systemCallGroups)}`;
}

function callProblem(name: string, systemd: number | undefined): string | undefined {
  if (systemCalls.has(name) || (systemd !== undefined && systemd > newestSystemd)) return undefined;
  if (name.includes(",")) return `${received(name)} is no system call; they are separated by blanks`;
  if (name.startsWith("~"))
    return `${received(name)} has a ~ that is not at the beginning of the value; write it there, once`;
  const group = directiveNames.systemCallGroups.includes(`@${name}`) ? `; did you mean "@${name}"?` : undefined;
  return `${received(name)} is no system call${group ?? didYouMean(name, systemCalls)}`;
}
