import * as pulumi from "@pulumi/pulumi";
import type { LintFinding, LintOptions } from "../systemd/lints/lint-units.ts";
import { lintUnits } from "../systemd/lints/lint-units.ts";
import { type Waiver, waiverOf } from "../systemd/lints/waiver.ts";
import type { AnnotatedUnitFile } from "../systemd/unit-file.ts";
import { parseUnitFile } from "../systemd/unit-file.ts";
import type { Definition } from "./definition.ts";

/** What the lints (docs/lints.md) say of units: `errors` keep them from every host, `warnings` are shown in each preview. */
export interface LintVerdict {
  readonly errors: string[];
  readonly warnings: string[];
}

/** What a unit shows by itself, whatever else a host gets. What a waiver names is left out while it holds. */
export function unitVerdict(
  name: string,
  unit: Pick<AnnotatedUnitFile, "file"> & Partial<AnnotatedUnitFile>,
  waive: readonly Waiver[],
): LintVerdict {
  const now = new Date();
  const findings = lintUnits([{ name, ...unit }], { scope: "own", now });
  return verdict(
    findings.filter(({ rule }) => waiverOf(waive, rule, now) === undefined),
    ownLine,
  );
}

/**
 * What the units of a host show together: timers and sockets without their service, cycles, dependencies that are not
 * ordered.
 * @param host major version of its systemd and what units it has besides, where that is known
 */
export function hostVerdict(
  definitions: readonly Definition[],
  host: Pick<LintOptions, "systemd" | "externalUnits">,
): LintVerdict {
  const byName = new Map(definitions.flatMap(({ units }) => units.map((unit) => [unit.name, unit])));
  const units = [...byName.values()].map(({ name, text }) => ({ name, file: parseUnitFile(text) }));
  const now = new Date();
  const findings = lintUnits(units, { scope: "across", complete: true, now, ...host });
  const isWaived = ({ unit, rule }: LintFinding) => waiverOf(byName.get(unit)?.waive ?? [], rule, now) !== undefined;
  return verdict(
    findings.filter((finding) => !isWaived(finding)),
    (finding) => `${finding.unit}: ${ownLine(finding)}`,
  );
}

function verdict(findings: readonly LintFinding[], line: (finding: LintFinding) => string): LintVerdict {
  const of = (severity: LintFinding["severity"]) =>
    findings.filter((finding) => finding.severity === severity).map(line);
  return { errors: of("error"), warnings: of("warning") };
}

/** `[Service] ExecStart: ...; write ... (lint relative-executable)` */
function ownLine({ section, line, message, fix, rule }: LintFinding): string {
  const place = section === undefined ? (line === undefined ? "" : `line ${line}: `) : `[${section}] `;
  const remedy = fix === undefined ? "" : `. ${fix.replace(/\.$/, "")}`;
  return `${place}${message.replace(/\.$/, "")}${remedy} (lint ${rule})`;
}

const told = new WeakMap<object, Set<string>>();
const outsideOfStacks = {};

/** Shows each line that this run of the program has not shown yet: a unit on a hundred hosts is warned of once. */
export function warnOnce(lines: readonly string[], resource: pulumi.Resource): void {
  const run = pulumi.runtime.getStackResource() ?? outsideOfStacks;
  const before = told.get(run) ?? new Set();
  told.set(run, before);
  for (const line of lines) {
    if (before.has(line)) continue;
    before.add(line);
    void pulumi.log.warn(line, resource);
  }
}
