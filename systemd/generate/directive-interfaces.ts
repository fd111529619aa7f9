import { type DirectiveData, type DirectiveFacts, generatedHeader } from "./data.ts";
import {
  commentLines,
  directiveType,
  type InterfacePlan,
  interfacePlans,
  valueSentences,
  writtenDirectives,
} from "./directive-text.ts";

/** The text of systemd/sections.generated.ts. */
export function directiveInterfaces(data: DirectiveData): string {
  return `${generatedHeader}\n${interfacePlans.map((plan) => interfaceText(data, plan)).join("\n")}`;
}

function interfaceText(data: DirectiveData, plan: InterfacePlan): string {
  const bases = plan.extends.map((stem) => `${stem}Directives`).join(", ");
  const members = writtenDirectives(data, plan).map(([name, facts]) => memberText(name, facts));
  return `/** ${plan.what} */
export interface ${plan.stem}Directives ${bases === "" ? "" : `extends ${bases} `}{
${members.join("")}}
`;
}

function memberText(name: string, facts: DirectiveFacts): string {
  const lines = [...commentLines(facts.text, "  "), ...commentLines(valueSentences(facts).join(" "), "  ")];
  if (facts.default !== undefined) lines.push(`   * @default ${facts.default}`);
  if (facts.legacyUse !== undefined) lines.push(...commentLines(`@deprecated Use ${facts.legacyUse}.`, "  "));
  const type = directiveType(facts) === "string[]" ? "readonly string[]" : directiveType(facts);
  return `  /**\n${lines.join("\n")}\n   */\n  readonly ${name}?: ${type} | undefined;\n`;
}
