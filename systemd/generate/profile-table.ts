import { exposureOf } from "../exposure.ts";
import { profileSandbox, type SandboxProfileName, sandboxProfileNames, sandboxProfiles } from "../profiles.ts";
import type { SandboxDirective } from "../sandbox.ts";
import { type SectionDirectives, unitFileOf } from "../sections.ts";

/** Between these two lines of docs/hardening.md stands what `profileTables` gives. */
export const tableMarks = { begin: "<!-- profiles: begin -->", end: "<!-- profiles: end -->" } as const;

/** The newest systemd, so that every directive of a profile is in the table, and the one that a service is made for. */
const newest = 257;
const oldest = 247;

/** The sandbox profiles in Markdown: what each sets and its score, then each directive with what it closes and breaks. */
export function profileTables(): string {
  const names = sandboxProfileNames;
  const directives = [...new Set(names.flatMap((name) => sandboxProfiles[name].directives.map((own) => own.name)))];
  return [
    row(["profile", "made for", "network"]),
    row(["---", "---", "---"]),
    ...names.map((name) => row([`\`${name}\``, sandboxProfiles[name].purpose, sandboxProfiles[name].network])),
    "",
    row(["directive", ...names.map((name) => `\`${name}\``)]),
    row(["---", ...names.map(() => "---")]),
    ...directives.map((directive) => row([named(directive), ...names.map((name) => cell(name, directive))])),
    row(["**exposure** with `User=`", ...names.map((name) => exposureText(name, { User: "orders" }))]),
    row(["**exposure** with `DynamicUser=yes`", ...names.map((name) => exposureText(name, { DynamicUser: "yes" }))]),
    "",
    row(["directive", "since", "what it closes", "what may break, and the way out"]),
    row(["---", "---", "---", "---"]),
    ...directives.flatMap((directive) =>
      distinct(directive).map(({ profiles, facts }) =>
        row([
          `${named(directive)}${profiles === undefined ? "" : ` of ${profiles.map((name) => `\`${name}\``).join(", ")}`}`,
          String(facts.since),
          facts.why,
          facts.mayBreak,
        ]),
      ),
    ),
  ].join("\n");
}

function directiveOf(profile: SandboxProfileName, directive: string): SandboxDirective | undefined {
  return sandboxProfiles[profile].directives.find(({ name }) => name === directive);
}

function cell(profile: SandboxProfileName, directive: string): string {
  const value = profileSandbox(profile, { systemd: newest })[directive];
  if (value === undefined) return "";
  const lines = [value].flat().map((line) => (line === "" ? "(empty)" : `\`${line}\``));
  const byHand = directiveOf(profile, directive)!.since > oldest;
  return `${lines.join("<br>")}${byHand ? ", to be set by hand" : ""}`;
}

/** The kinds of a directive: one for each text about it, with the profiles that it holds for where there are several. */
function distinct(directive: string): { profiles: SandboxProfileName[] | undefined; facts: SandboxDirective }[] {
  const kinds = new Map<SandboxDirective, SandboxProfileName[]>();
  for (const profile of sandboxProfileNames) {
    const facts = directiveOf(profile, directive);
    if (facts !== undefined) kinds.set(facts, [...(kinds.get(facts) ?? []), profile]);
  }
  return [...kinds].map(([facts, profiles]) => ({ profiles: kinds.size > 1 ? profiles : undefined, facts }));
}

function exposureText(profile: SandboxProfileName, user: SectionDirectives): string {
  const file = unitFileOf({ Service: { ...profileSandbox(profile), ...user } });
  const { exposure, rating } = exposureOf("any.service", file);
  return `**${exposure.toFixed(1)}** ${rating}`;
}

function named(directive: string): string {
  return `\`${directive}=\``;
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`;
}
