import { unitNameProblem } from "../unit-name.ts";
import { sectionProblems } from "../validate.ts";
import type { Lint } from "./lint.ts";

/** What systemd cannot read, or drops, before it looks at any directive. */
export const syntaxLints: readonly Lint[] = [
  {
    id: "syntax-error",
    severity: "error",
    why: "systemd refuses the whole file, so the unit does not load.",
    fix: "Write each [Section] and each Key=Value on a line of its own, in UTF-8.",
    // Files that cannot be parsed never become a unit; `lintUnitTexts` reports them.
    hits: () => [],
  },
  {
    id: "unit-name",
    severity: "error",
    why: "systemd loads no file with a name that is no unit name.",
    fix: "Name the file NAME.TYPE with letters, digits and : - _ . \\ @ only.",
    hits: (unit) => {
      const message = unitNameProblem(unit.name);
      return message === undefined ? [] : [{ message }];
    },
  },
  {
    id: "ignored-line",
    severity: "error",
    why: "systemd warns in its log and drops the line.",
    fix: "Write Key=Value behind a [Section], or make the line a comment with # at its beginning.",
    hits: (unit) =>
      (unit.notes ?? [])
        .filter(({ message }) => !isContinuationNote(message))
        .map(({ line, origin, message }) => ({ line, origin, message: `this line ${message}` })),
  },
  {
    id: "broken-continuation",
    severity: "error",
    why: "A backslash joins the next line only if nothing stands behind it, so the rest of the value is lost.",
    fix: "Remove the blanks behind the backslash.",
    hits: (unit) =>
      [...unit.assignments.values()].flat().flatMap((at) => {
        const backslashes = /\\*$/.exec(at.value)?.[0].length ?? 0;
        if (backslashes % 2 === 0) return [];
        const message = `${at.key}: the value ends in a backslash with blanks or nothing behind it, so no next line is joined to it`;
        return [{ at, mark: { start: at.value.length - 1, end: at.value.length }, message }];
      }),
  },
  {
    id: "unknown-section",
    severity: "error",
    why: "systemd warns in its log and ignores the section with all its lines.",
    fix: "Write one of the sections that a unit of this type has; names that begin with X- are free.",
    hits: (unit) =>
      unit.file.sections.flatMap(({ name }, sectionIndex) =>
        sectionProblems(unit.name, name, {}).map(({ message }) => ({ sectionIndex, message })),
      ),
  },
];

function isContinuationNote(message: string): boolean {
  return message.startsWith("ends in a backslash");
}
