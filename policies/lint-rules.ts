import type { PolicyComplianceFramework, Severity } from "@pulumi/policy";
import { z } from "zod";
import type { LintSeverity } from "../systemd/lints/finding.ts";
import type { Lint } from "../systemd/lints/lint.ts";
import type { LintedUnit } from "../systemd/lints/linted-unit.ts";
import { lintFamilies } from "../systemd/lints/registry.ts";
import { type UnitSet, unitSet } from "../systemd/lints/unit-set.ts";
import type { CheckedUnit } from "./checked-unit.ts";
import { exceptions } from "./exception.ts";
import type { Rule, RuleConfig } from "./rule.ts";
import { rule } from "./rule.ts";
import type { CheckedHost } from "./sent-units.ts";
import { UnknownValueError } from "./unknown-values.ts";

const severities: Readonly<Record<LintSeverity, Severity>> = { error: "high", warning: "medium", info: "low" };

const plainSecrets: PolicyComplianceFramework = {
  name: "NIST SP 800-53",
  version: "Rev. 5",
  reference: "IA-5(7)",
  specification: "No Embedded Unencrypted Static Authenticators",
};
const leastPrivilege: PolicyComplianceFramework = {
  name: "NIST SP 800-53",
  version: "Rev. 5",
  reference: "AC-6",
  specification: "Least Privilege",
};

/** The lints that ask for what a framework asks for, and how bad it is when they find something. */
const frameworks: Readonly<Record<string, { framework?: PolicyComplianceFramework; severity?: Severity }>> = {
  "secret-in-environment": { framework: plainSecrets, severity: "critical" },
  "secret-in-command": { framework: plainSecrets, severity: "critical" },
  "secret-in-set-credential": { framework: plainSecrets, severity: "critical" },
  "root-runs-user-writable-path": { framework: leastPrivilege, severity: "high" },
};

const config = z.strictObject({ except: exceptions });

/** Every lint of the unit language as a rule of its own, with the lint's id. */
export const lintRules: readonly Rule[] = lintFamilies.flatMap(({ name: family, lints }) =>
  lints.map((lint) => lintRule(lint, family)),
);

function lintRule(lint: Lint, family: string): Rule {
  const { framework, severity } = frameworks[lint.id] ?? {};
  const looksAtOthers = lint.hits.length > 1;
  return rule<RuleConfig>({
    name: lint.id,
    displayName: lint.id.replaceAll("-", " ").replace(/^./, (first) => first.toUpperCase()),
    description: lint.why,
    page: "docs/lints.md",
    severity: severity ?? severities[lint.severity],
    tags: ["lint", family.toLowerCase()],
    ...(framework === undefined ? {} : { framework }),
    remediationSteps: lint.fix,
    level: lint.severity === "info" ? "advisory" : "mandatory",
    config,
    onlyRegistered: true,
    unit: (unit) => found(lint, unit, alone(unit)),
    ...(looksAtOthers ? { host: (host) => together(lint, host) } : {}),
  });
}

/** What a lint finds in a unit; a unit that it cannot look at is not known before the update. */
function found(lint: Lint, { linted }: CheckedUnit, set: UnitSet): { finding: string; isNote: boolean }[] {
  return lint.hits(linted, set).map(({ at, message, severity, fix = lint.fix }) => {
    const place = at === undefined ? "" : `[${at.section}] ${message.startsWith(at.key) ? "" : `${at.key}: `}`;
    // What a lint only mentions here stops nothing.
    return { finding: `${place}${message}. ${fix}`, isNote: severity === "info" && lint.severity !== "info" };
  });
}

let lastAlone: { readonly linted: LintedUnit; readonly set: UnitSet } | undefined;

function alone({ linted }: CheckedUnit): UnitSet {
  // All lints look at a unit one after another.
  if (lastAlone?.linted !== linted) lastAlone = { linted, set: unitSet([linted], { now: new Date() }) };
  return lastAlone.set;
}

let lastTogether: { readonly units: readonly CheckedUnit[]; readonly set: UnitSet } | undefined;

function wholeSet({ units }: CheckedHost): UnitSet {
  const isSame =
    lastTogether?.units.length === units.length && units.every((unit, index) => unit === lastTogether?.units[index]);
  if (lastTogether === undefined || !isSame) {
    const linted = units.map((unit) => unit.linted);
    lastTogether = { units, set: unitSet(linted, { now: new Date(), complete: true }) };
  }
  return lastTogether.set;
}

/** What a lint finds only when it sees all units of the host. */
function together(lint: Lint, host: CheckedHost) {
  return host.units.flatMap((unit) => {
    try {
      const before = new Set(found(lint, unit, alone(unit)).map(({ finding }) => finding));
      const now = found(lint, unit, wholeSet(host)).filter(({ finding }) => !before.has(finding));
      return now.map((one) => ({ ...one, about: unit }));
    } catch (error) {
      // Each unit by itself has told it already.
      if (error instanceof UnknownValueError) return [];
      throw error;
    }
  });
}
