import { directiveKinds } from "../directive.ts";
import type { DirectiveData, DirectiveFacts } from "./data.ts";

/** One interface to be written, and the blocks whose directives it holds itself. */
interface InterfacePlan {
  /** Name without its ending, such as `Service`. */
  readonly stem: string;
  readonly block: keyof DirectiveData["blocks"];
  /** Stems of the interfaces that it extends. */
  readonly extends: readonly string[];
  readonly what: string;
}

/** The interfaces for the units that components make; shared blocks first. */
const interfacePlans: readonly InterfacePlan[] = [
  { stem: "Unit", block: "Unit", extends: [], what: "Directives of [Unit], which every unit has (systemd.unit(5))." },
  {
    stem: "Install",
    block: "Install",
    extends: [],
    what: "Directives of [Install], read when the unit is enabled (systemd.unit(5)).",
  },
  {
    stem: "Exec",
    block: "Exec",
    extends: [],
    what: "How processes run: users, paths, sandbox, limits, logging (systemd.exec(5)).",
  },
  { stem: "Kill", block: "Kill", extends: [], what: "How processes are ended (systemd.kill(5))." },
  {
    stem: "ResourceControl",
    block: "CGroup",
    extends: [],
    what: "Limits and shares of the control group (systemd.resource-control(5)).",
  },
  {
    stem: "Service",
    block: "Service",
    extends: ["Exec", "Kill", "ResourceControl"],
    what: "Directives of [Service] (systemd.service(5)).",
  },
  {
    stem: "Socket",
    block: "Socket",
    extends: ["Exec", "Kill", "ResourceControl"],
    what: "Directives of [Socket] (systemd.socket(5)).",
  },
  { stem: "Timer", block: "Timer", extends: [], what: "Directives of [Timer] (systemd.timer(5))." },
  { stem: "Path", block: "Path", extends: [], what: "Directives of [Path] (systemd.path(5))." },
];

/** The one TypeScript type of a directive. */
export type DirectiveType = "boolean" | "number" | "string" | "string[]";

/** Booleans and whole numbers are themselves, what is assigned more than once is a list, all else is text. */
export function directiveType(facts: DirectiveFacts): DirectiveType {
  if (facts.kind === "delegate" || facts.kind === "namespaces") return "string";
  if (facts.list) return "string[]";
  if (facts.kind === "boolean") return "boolean";
  return facts.kind === "integer" ? "number" : "string";
}

/**
 * All interfaces, one after the other.
 * @param ending of their names, behind the stem
 * @param memberText the text of one directive, its comment included
 */
export function interfaceTexts(
  data: DirectiveData,
  ending: string,
  memberText: (name: string, facts: DirectiveFacts) => string,
): string {
  const texts = interfacePlans.map((plan) => {
    const bases = plan.extends.map((stem) => `${stem}${ending}`).join(", ");
    const members = writtenDirectives(data, plan).map(([name, facts]) => memberText(name, facts));
    return `/** ${plan.what} */
export interface ${plan.stem}${ending} ${bases === "" ? "" : `extends ${bases} `}{
${members.join("")}}
`;
  });
  return texts.join("\n");
}

/** The directives of a block that are worth writing: those that have an effect in some version. */
function writtenDirectives(data: DirectiveData, plan: InterfacePlan): readonly [string, DirectiveFacts][] {
  return Object.entries(data.blocks[plan.block]).filter(([, facts]) => facts.obsolete !== true);
}

/** What a directive takes, and from which systemd on, in plain sentences. */
export function valueSentences(facts: DirectiveFacts): string[] {
  const sentences = [`Takes ${accepted(facts)}.`];
  if (directiveType(facts) === "string[]") sentences.push("Each item is an assignment of its own.");
  sentences.push(facts.since > 247 ? `Since systemd ${facts.since}.` : "Since systemd 247 or older.");
  const younger = Object.entries(facts.valuesSince ?? {}).map(([value, since]) => `${value} since ${since}`);
  if (younger.length > 0) sentences.push(`Of these, ${younger.join(", ")}.`);
  if (facts.removedAfter !== undefined) sentences.push(`Gone after systemd ${facts.removedAfter}.`);
  return sentences;
}

/** Text as lines of a doc comment, at most 116 characters wide. */
export function commentLines(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent.length + 3 + line.length + 1 + word.length > 118) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].map((content) => `${indent} *${content === "" ? "" : ` ${content}`}`);
}

function accepted(facts: DirectiveFacts): string {
  const words = facts.values ?? [];
  const bounds = `${facts.min ?? 0} to ${facts.max ?? "any"}`;
  if (facts.kind === "enum") {
    const numbered = facts.max === undefined ? "" : `, or a number`;
    return words.length === 1 ? `${words[0]}${numbered}` : `one of ${words.join(", ")}${numbered}`;
  }
  if (facts.kind === "integer") return `a whole number from ${bounds}`;
  if (facts.suffix !== undefined) return `${directiveKinds[facts.kind]}, ending in ${facts.suffix}`;
  const others = facts.kind === "resource-limit" && facts.unit !== "count" ? `; in ${facts.unit}` : "";
  const min = facts.kind === "time-span" && facts.min !== undefined ? `, at least ${facts.min}s` : "";
  return `${directiveKinds[facts.kind]}${words.length > 0 ? `, or ${words.join(", ")}` : ""}${others}${min}`;
}
