import { type DirectiveData, type DirectiveFacts, generatedHeader } from "./data.ts";
import { commentLines, directiveType, interfaceTexts, valueSentences } from "./directive-text.ts";

/** The text of systemd/sections.generated.ts. */
export function directiveInterfaces(data: DirectiveData): string {
  return `${generatedHeader}\n${interfaceTexts(data, "Directives", memberText)}`;
}

function memberText(name: string, facts: DirectiveFacts): string {
  const lines = [...commentLines(facts.text, "  "), ...commentLines(valueSentences(facts).join(" "), "  ")];
  if (facts.default !== undefined) lines.push(`   * @default ${facts.default}`);
  if (facts.legacyUse !== undefined) lines.push(...commentLines(`@deprecated Use ${facts.legacyUse}.`, "  "));
  const type = directiveType(facts) === "string[]" ? "readonly string[]" : directiveType(facts);
  return `  /**\n${lines.join("\n")}\n   */\n  readonly ${name}?: ${type} | undefined;\n`;
}
