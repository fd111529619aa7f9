import { type DirectiveData, type DirectiveFacts, generatedHeader } from "./data.ts";
import { commentLines, directiveType, interfaceTexts, valueSentences } from "./directive-text.ts";

const inputTypes = {
  boolean: "pulumi.Input<boolean>",
  number: "pulumi.Input<number>",
  string: "pulumi.Input<string>",
  "string[]": "pulumi.Input<pulumi.Input<string>[]>",
};

/**
 * The text of components/section-args.generated.ts: the interfaces of systemd/sections.generated.ts with Pulumi inputs.
 * Everything stands in plain text, since a Pulumi schema keeps no tags.
 */
export function argumentInterfaces(data: DirectiveData): string {
  return `${generatedHeader}import type * as pulumi from "@pulumi/pulumi";

${interfaceTexts(data, "SectionArgs", memberText)}`;
}

function memberText(name: string, facts: DirectiveFacts): string {
  const sentences = [facts.text, ...valueSentences(facts)];
  if (facts.default !== undefined) sentences.push(`Default: ${facts.default}.`);
  if (facts.legacyUse !== undefined) sentences.push(`Deprecated: use ${facts.legacyUse}.`);
  return `  /**\n${commentLines(sentences.join(" "), "  ").join("\n")}\n   */\n  ${name}?: ${inputTypes[directiveType(facts)]};\n`;
}
