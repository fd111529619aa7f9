import { dropInsOf, mergedUnitFile } from "../drop-ins.ts";
import { type AnnotatedUnitFile, parseUnitFileWithNotes, UnitSyntaxError } from "../unit-file.ts";
import type { LintFinding } from "./finding.ts";
import type { LintUnit } from "./linted-unit.ts";

/** A unit file or drop-in as text. */
export interface LintUnitText {
  /** Name of the unit, such as `api.service`; of a drop-in its folder and name, such as `api.service.d/10-limits.conf`. */
  readonly name: string;
  /** `UnitSyntaxError` where its bytes are no text. */
  readonly text: string | UnitSyntaxError;
}

/** What the lints look at, and what cannot be looked at. */
export interface ReadUnits {
  readonly units: readonly LintUnit[];
  /** Files that systemd refuses as a whole: `syntax-error`. */
  readonly refused: readonly LintFinding[];
}

interface Part {
  readonly origin: string;
  readonly folder: string;
  readonly name: string;
  readonly unit: AnnotatedUnitFile;
}

/**
 * Units from texts, each with its drop-ins. Drop-ins whose unit is not given become a unit of their own, of which only a
 * part is known.
 */
export function readUnits(texts: readonly LintUnitText[]): ReadUnits {
  const refused: LintFinding[] = [];
  const files: Part[] = [];
  for (const { name: origin, text } of texts) {
    const slash = origin.lastIndexOf("/");
    const folder = origin.slice(0, Math.max(slash, 0));
    const name = origin.slice(slash + 1);
    try {
      if (typeof text !== "string") throw text;
      files.push({ origin, folder, name, unit: parseUnitFileWithNotes(text) });
    } catch (error) {
      if (!(error instanceof UnitSyntaxError)) throw error;
      const message = error.message.replace(/^line \d+: /, "");
      const unit = folder === "" ? name : unitOf(folder);
      refused.push({ unit, file: origin, line: error.line, rule: "syntax-error", severity: "error", message });
    }
  }
  const mains = files.filter(({ folder }) => folder === "");
  const dropIns = files.filter(({ folder }) => folder !== "");
  const used = new Set<Part>();
  const whole = mains.map((main): LintUnit => {
    const own = dropInsOf(main.name, dropIns);
    for (const dropIn of own) used.add(dropIn);
    return { name: main.name, ...mergedUnitFile([main, ...own]) };
  });
  const alone = new Set(dropIns.filter((dropIn) => !used.has(dropIn)).map(({ folder }) => folder));
  const fragments = [...alone].map((folder): LintUnit => {
    const name = unitOf(folder);
    const template = mains.find((main) => main.name === name.replace(/@.+(?=\.)/, "@"));
    const parts = dropInsOf(name, dropIns);
    // An instance takes the file of its template.
    if (template !== undefined) return { name, ...mergedUnitFile([template, ...parts]) };
    return { name, ...mergedUnitFile(parts), isFragment: true };
  });
  return { units: [...whole, ...fragments], refused };
}

/** The unit that a folder of drop-ins is for; `service.d` is for any service. */
function unitOf(folder: string): string {
  const unit = folder.replace(/\.d$/, "");
  return unit.includes(".") ? unit : `any.${unit}`;
}
