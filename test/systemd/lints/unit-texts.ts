import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { LintOptions, LintUnitText } from "../../../systemd/lints/lint-units.ts";
import { lintUnitTexts } from "../../../systemd/lints/lint-units.ts";

/** The unit files of a folder. */
export function unitTextsIn(folder: string): readonly LintUnitText[] {
  return readdirSync(folder).map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") }));
}

/** Several unit files in one text, each behind a line `# NAME`, as docs/lints.md prints them. */
export function unitTextsOf(text: string): readonly LintUnitText[] {
  return text
    .split(/^(?=# [^\n]*\.(?:service|timer|socket|path|mount|target|swap|automount)$)/m)
    .filter((part) => part.trim() !== "")
    .map((part) => ({ name: /^# ([^\n]+)/.exec(part)?.[1] ?? "", text: part.slice(part.indexOf("\n") + 1) }));
}

/** `severity rule` of the findings of a service whose [Service] section is given, `info` left out. */
export function serviceRules(lines: string, options: LintOptions = {}): readonly string[] {
  return rules(`# api.service\n[Unit]\nDescription=Orders\n[Service]\n${lines}\n`, options);
}

/** `severity rule` of the findings of unit files as `unitTextsOf` takes them, `info` left out. */
export function rules(text: string, options: LintOptions = {}): readonly string[] {
  return lintUnitTexts(unitTextsOf(text), options)
    .filter(({ severity }) => severity !== "info")
    .map(({ severity, rule }) => `${severity} ${rule}`);
}
