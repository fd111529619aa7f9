import type { Directive, DirectiveKind } from "../directive.ts";
import type { LintSeverity } from "./finding.ts";

/** What looks like a comment behind a value. */
export interface InlineComment {
  /** Where it begins in the value. */
  readonly start: number;
  /** `#` or `;`. */
  readonly mark: string;
  /** What systemd makes of it. */
  readonly effect: string;
  readonly severity: LintSeverity;
}

/** Kinds whose text may well hold a `#`. */
const freeTexts: ReadonlySet<DirectiveKind> = new Set<DirectiveKind>([
  "string",
  "escaped-text",
  "verbatim",
  "condition-string",
  "log-pattern",
  "uris",
  "journal-fields",
]);

/**
 * What looks like a comment behind a value, or undefined. Certain where the value is accepted without it and not with
 * it; in texts and command lines, where a `#` may be meant, a warning.
 * @param accepts Whether the directive accepts a value.
 */
export function inlineCommentIn(
  directive: Directive,
  value: string,
  isRefused: boolean,
  accepts: (value: string) => boolean,
): InlineComment | undefined {
  const found = /[ \t]+([#;])/.exec(value);
  if (found === null) return undefined;
  const mark = found[1] ?? "#";
  const start = found.index + found[0].length - 1;
  const head = value.slice(0, found.index);
  if (isRefused) {
    if (!accepts(head)) return undefined;
    return { start, mark, effect: "systemd refuses the value and ignores the line", severity: "error" };
  }
  if (directive.kind === "command") return commentInCommand(value);
  if (mark !== "#") return undefined;
  if (!freeTexts.has(directive.kind)) {
    return { start, mark, effect: "systemd takes the whole text", severity: "error" };
  }
  return /[ \t]# /.test(value)
    ? { start, mark, effect: "systemd keeps the whole text", severity: "warning" }
    : undefined;
}

function commentInCommand(value: string): InlineComment | undefined {
  const found = /[ \t]#(?=[ \t]|$)/.exec(value);
  if (found === null || isInQuotes(value, found.index)) return undefined;
  const effect = "the program gets it and all that follows as arguments";
  return { start: found.index + 1, mark: "#", effect, severity: "warning" };
}

function isInQuotes(value: string, index: number): boolean {
  let quote = "";
  for (const character of value.slice(0, index)) {
    if (quote === character) quote = "";
    else if (quote === "" && (character === '"' || character === "'")) quote = character;
  }
  return quote !== "";
}
