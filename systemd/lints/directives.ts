import { calendarProblem, normalizedCalendar } from "../calendar.ts";
import type { Directive } from "../directive.ts";
import { directiveOf, sectionNames } from "../directives.ts";
import { nearestOf } from "../nearest.ts";
import { sectionProblems } from "../validate.ts";
import { mayHoldSecret, valueProblem } from "../values/value.ts";
import { received } from "../values/value-check.ts";
import { inlineCommentIn } from "./inline-comment.ts";
import type { Lint, LintHit } from "./lint.ts";
import { type Assignment, type LintedUnit, quoted } from "./linted-unit.ts";
import type { LintOptions } from "./unit-set.ts";

type Rule =
  | "unknown-directive"
  | "misplaced-directive"
  | "start-limit-outside-unit"
  | "too-new"
  | "obsolete"
  | "bad-value"
  | "relative-executable"
  | "variable-as-executable"
  | "calendar-never-elapses"
  | "inline-comment"
  | "kept-quotes"
  | "empty-assignment"
  | "repeated-assignment";

/** What is wrong with single assignments: the directive is not known, its value not accepted, or it has no effect. */
export const directiveLints: readonly Lint[] = [
  lint("unknown-directive", "error", {
    why: "systemd warns in its log and ignores the line; `systemd-analyze verify` exits 0 on it by default.",
    fix: "Correct the spelling; names that begin with X- are free for notes of your own.",
  }),
  lint("misplaced-directive", "error", {
    why: "A directive counts only in its own section; systemd ignores the line.",
    fix: "Move the line to the section that the message names.",
  }),
  lint("start-limit-outside-unit", "error", {
    why: "StartLimitIntervalSec= and StartLimitAction= moved to [Unit] in systemd 230; elsewhere they are ignored or only read in an old form.",
    fix: "Write StartLimitIntervalSec= and StartLimitBurst= in [Unit].",
  }),
  lint("too-new", "error", {
    why: "An older systemd ignores what it does not know, so the service runs without it.",
    fix: "Leave it out for this target, or raise the target's systemd.",
  }),
  lint("obsolete", "warning", {
    why: "systemd reads old forms for now, warns in its log, and removes some with each version.",
    fix: "Write the successor that the message names.",
  }),
  lint("bad-value", "error", {
    why: "systemd ignores the line with a warning in its log, or does not load the unit at all.",
    fix: "Write a value that the directive takes.",
  }),
  lint("relative-executable", "error", {
    why: "systemd does not load a unit whose executable is a relative path; there is no current directory and no $PATH to begin from.",
    fix: "Write the absolute path of the executable.",
  }),
  lint("variable-as-executable", "error", {
    why: "systemd expands variables in arguments only; the name of the executable is taken literally and is not found.",
    fix: "Write the absolute path of the executable, or start a shell with -c.",
  }),
  lint("calendar-never-elapses", "error", {
    why: "systemd accepts the expression, and the timer never runs.",
    fix: "Write days that the calendar has; `~01` is the last day of a month.",
  }),
  lint("inline-comment", "error", {
    why: "Unit files have no comments behind a value: the # and the text are part of the value.",
    fix: "Put the comment on a line of its own.",
  }),
  lint("kept-quotes", "warning", {
    why: "Plain texts are not unquoted: the quotes become part of the value.",
    fix: "Write the value without quotes.",
  }),
  lint("empty-assignment", "warning", {
    why: "An empty assignment takes back a list, but not a boolean and not a dependency.",
    fix: "Leave the line out, or write the value that you want.",
  }),
  lint("repeated-assignment", "warning", {
    why: "For a directive with one value the last line wins, and a reader may see the first one.",
    fix: "Keep one of the lines.",
  }),
];

interface Found extends LintHit {
  readonly rule: Rule;
}

const cache = new WeakMap<LintedUnit, readonly Found[]>();

function lint(id: Rule, severity: Lint["severity"], { why, fix }: Pick<Lint, "why" | "fix">): Lint {
  return { id, severity, why, fix, hits: (unit, options) => found(unit, options).filter(({ rule }) => rule === id) };
}

function found(unit: LintedUnit, options: LintOptions): readonly Found[] {
  const known = cache.get(unit);
  if (known !== undefined) return known;
  const all = [...unit.assignments.values()].flatMap((assignments) => foundIn(unit, assignments, options));
  cache.set(unit, all);
  return all;
}

function foundIn(unit: LintedUnit, assignments: readonly Assignment[], options: LintOptions): readonly Found[] {
  const first = assignments[0];
  if (first === undefined || first.key.startsWith("X-") || !sectionNames.includes(first.section)) return [];
  if (sectionProblems(unit.name, first.section, {}).length > 0) return [];
  const directive = directiveOf(first.section, first.key);
  if (directive === undefined) return assignments.map((at) => unknown(unit, at, options));
  return [
    ...assignments.flatMap((at) => ofTable(directive, at, options)),
    ...repeated(unit, directive, assignments),
    ...assignments.flatMap((at) => ofValue(directive, at, options)),
  ];
}

function unknown(unit: LintedUnit, at: Assignment, { systemd }: LintOptions): Found {
  const [problem] = sectionProblems(unit.name, at.section, { [at.key]: "x" }, { systemd });
  const message = problem?.message ?? `${at.key}: [${at.section}] has no directive of this name`;
  const severity = problem?.severity ?? "error";
  if (/^StartLimit(Interval(Sec)?|Burst|Action)$/.test(at.key)) {
    return { rule: "start-limit-outside-unit", at, mark: "key", message: `${message}; systemd ignores it here` };
  }
  const isKnown = sectionNames.some((section) => directiveOf(section, at.key) !== undefined);
  return { rule: isKnown ? "misplaced-directive" : "unknown-directive", at, mark: "key", severity, message };
}

function ofTable(directive: Directive, at: Assignment, { systemd }: LintOptions): readonly Found[] {
  const { since, removedAfter, legacyUse, obsolete } = directive;
  const report = (rule: Rule, text: string, severity?: Lint["severity"]): readonly Found[] => [
    { rule, at, mark: "key", message: `${at.key}: ${text}`, ...(severity === undefined ? {} : { severity }) },
  ];
  if (obsolete === true) return report("obsolete", "it has no effect any more; leave it out");
  if (systemd !== undefined && since > systemd) {
    return report(
      "too-new",
      `it needs systemd ${since}, the target has ${systemd}; leave it out or choose a newer target`,
    );
  }
  if (removedAfter !== undefined && (systemd === undefined || systemd > removedAfter)) {
    const successor = legacyUse === undefined ? "leave it out" : `write ${legacyUse}`;
    const severity = systemd === undefined ? "warning" : "error";
    return report("obsolete", `only systemd up to ${removedAfter} knows it; ${successor}`, severity);
  }
  if (legacyUse === undefined || removedAfter !== undefined) return [];
  if (at.section !== "Unit" && at.key.startsWith("StartLimit")) {
    return report("start-limit-outside-unit", `it is an old form here; write ${legacyUse}`, "warning");
  }
  return report("obsolete", `it is an old form; write ${legacyUse}`);
}

function repeated(unit: LintedUnit, directive: Directive, assignments: readonly Assignment[]): readonly Found[] {
  if (directive.list) return [];
  return assignments.flatMap((at, index) => {
    const before = assignments.slice(0, index).findLast(({ value }) => value !== "");
    if (before === undefined || at.value === "" || assignments[index - 1]?.value === "") return [];
    // That is what a drop-in is for.
    if (unit.origins?.[before.sectionIndex] !== unit.origins?.[at.sectionIndex]) return [];
    const lost = mayHoldSecret(directive) ? "the value above" : quoted(before);
    return [{ rule: "repeated-assignment", at, mark: "key", message: `${at.key}: this line replaces ${lost}` }];
  });
}

function ofValue(directive: Directive, at: Assignment, { systemd }: LintOptions): readonly Found[] {
  const { key, value } = at;
  if (value === "") return ofEmpty(directive, at);
  const problem = ofCalendar(directive, at) ?? ofExecutable(directive, at) ?? ofBadValue(directive, at, systemd);
  const comment = inlineCommentIn(
    directive,
    value,
    problem !== undefined,
    (head) => valueProblem(directive, head, systemd) === undefined,
  );
  if (comment !== undefined) {
    const where = { start: comment.start, end: value.length };
    const message = `${key}: ${received(comment.mark)} begins no comment here, it is part of the value: ${comment.effect}`;
    return [{ rule: "inline-comment", at, mark: where, severity: comment.severity, message }];
  }
  if (problem !== undefined) return [problem];
  if (directive.kind === "string" && /^(["']).+\1$/.test(value)) {
    return [{ rule: "kept-quotes", at, message: `${key}: the quotes in ${received(value)} become part of the text` }];
  }
  return [];
}

function ofEmpty(directive: Directive, at: Assignment): readonly Found[] {
  if (directive.empty !== "ignored" && directive.empty !== "adds-nothing") return [];
  const text =
    directive.empty === "ignored"
      ? "systemd ignores an empty assignment here and keeps what was set; leave it out"
      : "an empty assignment takes nothing back here, dependencies can only be added; leave it out";
  return [{ rule: "empty-assignment", at, mark: "key", message: `${at.key}: ${text}` }];
}

function ofCalendar(directive: Directive, at: Assignment): Found | undefined {
  if (directive.kind !== "calendar" || at.value.includes("%")) return undefined;
  const problem = calendarProblem(at.value);
  if (problem === undefined || !isReadable(at.value)) return undefined;
  return { rule: "calendar-never-elapses", at, message: `${at.key}: ${problem}` };
}

function isReadable(expression: string): boolean {
  try {
    return normalizedCalendar(expression) !== "";
  } catch {
    return false;
  }
}

function ofExecutable(directive: Directive, at: Assignment): Found | undefined {
  if (directive.kind !== "command") return undefined;
  const first = /^[@\-:+!]*(\S*)/.exec(at.value);
  const path = first?.[1] ?? "";
  const end = first?.[0].length ?? 0;
  const mark = { start: end - path.length, end };
  if (/^\$(\{|[A-Za-z_])/.test(path)) {
    const message = `${at.key}: variables are not expanded in the executable ${received(path)}; write its absolute path`;
    return { rule: "variable-as-executable", at, mark, message };
  }
  if (path.startsWith("/") || !path.includes("/") || /^[%"'\\]|=/.test(path)) return undefined;
  const hint = path.startsWith("~") ? "; only a shell knows ~" : "";
  const message = `${at.key}: the executable ${received(path)} is a relative path${hint}; write an absolute path, such as "/opt/app/${path.replace(/^[.~]*\//, "")}"`;
  return { rule: "relative-executable", at, mark, message };
}

function ofBadValue(directive: Directive, at: Assignment, systemd: number | undefined): Found | undefined {
  const problem = valueProblem(directive, at.value, systemd);
  if (problem === undefined) return undefined;
  const isNew = systemd !== undefined && valueProblem(directive, at.value) === undefined;
  const effect = directive.fatal === true ? "; systemd does not load the unit" : "";
  const nearest =
    directive.kind === "enum" && /[A-Z]/.test(at.value) ? nearestOf(at.value, directive.values ?? []) : undefined;
  const hint = nearest === undefined || problem.includes("did you mean") ? "" : `; did you mean "${nearest}"?`;
  return { rule: isNew ? "too-new" : "bad-value", at, message: `${at.key}: ${problem}${hint}${effect}` };
}
