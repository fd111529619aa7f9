import { isDeepStrictEqual } from "node:util";
import type { UnitFile } from "../systemd/unit-file.ts";
import { parseUnitFile, printUnitFile } from "../systemd/unit-file.ts";
import type { UnitProblem } from "../systemd/validate.ts";
import { unitFileProblems } from "../systemd/validate.ts";
import type { DefinedUnit, Definition } from "./definition.ts";
import { credentialStore } from "./service-credentials.ts";
import { unitHeader } from "./unit.ts";

/** What becomes of a directive that the systemd of a host does not know yet. */
export const OlderSystemd = {
  /** It is an error, before the host is touched. */
  Refuse: "refuse",
  /** It is left out on this host, and the preview lists it. */
  Omit: "omit",
} as const;
export type OlderSystemd = (typeof OlderSystemd)[keyof typeof OlderSystemd];

/** Definitions as one host can have them. */
export interface FittingDefinitions {
  readonly definitions: Definition[];
  /** One line for each directive that was left out: `api.service: [Service] RestartSteps=`. */
  readonly omitted: string[];
}

/**
 * The definitions of a host whose systemd may be older than what they use.
 * @param host name of the host, for messages
 * @param systemd its major version; undefined where that is not known
 * @throws Error naming each directive or value that is too new, the version that has it, and what to do
 */
export function fittingDefinitions(
  host: string,
  definitions: readonly Definition[],
  systemd: number | undefined,
  older: OlderSystemd = OlderSystemd.Refuse,
): FittingDefinitions {
  if (systemd === undefined) return { definitions: [...definitions], omitted: [] };
  const newer = definitions.flatMap(({ units }) =>
    units.flatMap((unit) => newerProblems(unit, systemd).map((problem) => ({ unit, problem }))),
  );
  const encrypted = newer.filter(({ unit, problem }) => hasEncryptedCredentials(unit, problem));
  if (encrypted.length > 0) {
    const names = [...new Set(encrypted.map(({ unit }) => unit.name))].join(", ");
    throw new Error(
      `${names}: \`credentialsAtRest: "encrypted"\` is LoadCredentialEncrypted=, which needs systemd 250, and ${host} has ${systemd}; say \`credentialsAtRest: "plain"\` for it, or state a newer \`systemd\` where ${host} has been upgraded`,
    );
  }
  if (newer.length > 0 && older === OlderSystemd.Refuse) {
    const refused = newer.map(
      ({ unit, problem }) =>
        `${unit.name}: [${problem.section}] ${problem.message.replace("the target has", `${host} has`)}`,
    );
    throw new Error(
      `${refused.join("; ")}; or let \`olderSystemd: "omit"\` leave it out there, or state a newer \`systemd\` where ${host} has been upgraded`,
    );
  }
  const fittingUnit = (unit: DefinedUnit): DefinedUnit => {
    const problems = newer.filter((found) => found.unit === unit).map(({ problem }) => problem);
    return problems.length === 0 ? unit : { ...unit, text: withoutNewer(unit.text, problems) };
  };
  return {
    definitions: definitions.map((definition) => ({ ...definition, units: definition.units.map(fittingUnit) })),
    omitted: newer.map(({ unit, problem }) => `${unit.name}: [${problem.section}] ${problem.directive}=`),
  };
}

/** Whether a service would be without its own credentials where the directive were left out. */
function hasEncryptedCredentials({ text }: DefinedUnit, { directive }: UnitProblem): boolean {
  return directive === "LoadCredentialEncrypted" && text.includes(`:${credentialStore}`);
}

/** What is wrong for this version, and would not be for a newer one. */
function newerProblems({ name, text }: DefinedUnit, systemd: number): UnitProblem[] {
  const file = parseUnitFile(text);
  const always = unitFileProblems(name, file);
  return unitFileProblems(name, file, { systemd }).filter(
    (problem) =>
      problem.severity === "error" &&
      problem.directive !== undefined &&
      !always.some((other) => isDeepStrictEqual(other, problem)),
  );
}

function withoutNewer(text: string, newer: readonly UnitProblem[]): string {
  const file: UnitFile = {
    sections: parseUnitFile(text).sections.map(({ name, entries }) => ({
      name,
      entries: entries.filter(
        ({ key }) => !newer.some(({ section, directive }) => section === name && directive === key),
      ),
    })),
  };
  return printUnitFile(file, unitHeader);
}
