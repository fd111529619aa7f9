import { type DirectiveData, type DirectiveFacts, generatedHeader } from "./data.ts";

/** The text of systemd/directives.generated.ts. */
export function directiveTable(data: DirectiveData): string {
  const blocks = Object.entries(data.blocks).map(([block, directives]) => {
    const rows = Object.entries(directives).map(([name, facts]) => `    ${row(name, block, facts)},\n`);
    return `  ${block}: [\n${rows.join("")}  ],\n`;
  });
  return `${generatedHeader}import type { Directive, DirectiveBlock } from "./directive.ts";

/** Every directive of systemd 247 to 257, by the block that holds it, sorted by name. */
export const directiveBlocks: Readonly<Record<DirectiveBlock, readonly Directive[]>> = {
${blocks.join("")}};
`;
}

/** The text of systemd/directive-names.generated.ts. */
export function nameTable(data: DirectiveData): string {
  const lists = Object.entries(data.names).map(([key, names]) => `  ${key}: [\n${wrapped(names)}  ],\n`);
  const keys = Object.keys(data.names).map((key) => `  readonly ${key}: readonly string[];\n`);
  return `${generatedHeader}
/** Names that directive values may hold. */
export interface DirectiveNames {
${keys.join("")}}

/** The names that systemd 247 to 257 know. */
export const directiveNames: DirectiveNames = {
${lists.join("")}};
`;
}

function row(name: string, section: string, facts: DirectiveFacts): string {
  const { default: _default, text: _text, ...kept } = facts;
  return literal({ name, section, ...kept });
}

function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).map(
    ([key, field]) => `${/^[A-Za-z]+$/.test(key) ? key : JSON.stringify(key)}: ${literal(field)}`,
  );
  return `{ ${fields.join(", ")} }`;
}

function wrapped(names: readonly string[]): string {
  const lines: string[] = [];
  let line = "   ";
  for (const name of names) {
    const word = ` ${JSON.stringify(name)},`;
    if (line.length + word.length > 120) {
      lines.push(`${line}\n`);
      line = "   ";
    }
    line += word;
  }
  return `${lines.join("")}${line}\n`;
}
