import { z } from "zod";
import { parseUnitFile, type UnitFile, unitModel } from "../systemd/unit-file.ts";
import { unitFileProblems } from "../systemd/validate.ts";
import { exceptions } from "./exception.ts";
import { type ObservedStack, observedUnits } from "./observed-stack.ts";
import { type RuleFinding, rule } from "./rule.ts";
import { hostOfCommand, sentBundle } from "./sent-units.ts";
import { reading } from "./unknown-values.ts";

/** Requires that a host gets exactly the units that were registered, shown and checked. */
export const sentAsReviewed = rule({
  name: "sent-as-reviewed",
  displayName: "Sent as reviewed",
  description: "Checks that a host is sent the units that the preview shows and the policies have read.",
  severity: "critical",
  tags: ["review"],
  framework: {
    name: "NIST SP 800-53",
    version: "Rev. 5",
    reference: "CM-3",
    specification: "Configuration Change Control",
  },
  remediationSteps:
    "Look for a transform (of the stack, or in the options of a component) that changes units or the command of a Host, and change the definition in its place.",
  config: z.strictObject({ except: exceptions }),
  resource: (resource, _config, stack) => {
    if (resource.type === "systemd:index:Unit") return disagreement(resource.props);
    if (hostOfCommand(resource) === undefined) return [];
    const stdin = reading(() => resource.props.stdin);
    // A secret that is not known yet is empty here; the update checks it before it runs the command.
    if (stdin.value === undefined || stdin.value === "") return [];
    const bundle = typeof stdin.value === "string" ? sentBundle(stdin.value) : undefined;
    if (bundle === undefined) return [{ finding: "what the host is sent is not what this package sends to a host" }];
    return [
      ...bundle.units.flatMap(({ name, content }) => changedUnit(name, content, resource.urn, stack)),
      ...bundle.files
        .filter(({ path }) => isUnitFile(path))
        .map(({ path }) => ({
          finding: `${path} is sent as a plain file, so it is neither shown nor checked; define it as a Unit`,
        })),
    ];
  },
});

/** A unit whose text says something else than its sections. */
function disagreement(props: Readonly<Record<string, unknown>>): RuleFinding[] {
  const text = reading(() => props.text).value;
  const sections = reading(() => JSON.stringify(props.sections));
  if (typeof text !== "string" || text === "" || !sections.isKnown || sections.value === undefined) return [];
  const shown = sortedJson(unitModel(parseUnitFile(text)));
  const checked = sortedJson(JSON.parse(String(sections.value)));
  return shown === checked ? [] : [{ finding: "its text and its sections do not say the same: one was changed later" }];
}

function sortedJson(model: Readonly<Record<string, Readonly<Record<string, unknown>>>>): string {
  const sections = Object.entries(model).map(([name, directives]) => [name, Object.entries(directives).sort()]);
  return JSON.stringify(sections.sort());
}

function changedUnit(name: string, content: string, urn: string, stack: ObservedStack): RuleFinding[] {
  const registered = observedUnits(stack, name);
  const about = registered.at(-1);
  if (about === undefined) {
    return [{ about: { name, urn, waive: [] }, finding: "it is sent to the host, but no component registers it" }];
  }
  const texts = registered.map(({ text }) => text).filter((text) => text !== undefined);
  // What was registered with an unknown part is checked when the update knows it.
  if (texts.length < registered.length || texts.includes(content)) return [];
  const line = texts.map((text) => unexplainedLine(name, text, content));
  const first = line.find((difference) => difference !== undefined);
  if (line.includes(undefined)) return [];
  return [{ about, finding: `it was changed after it was checked: the host is sent ${first}` }];
}

/** The first difference that is no directive left out for an older systemd. */
function unexplainedLine(name: string, registered: string, sent: string): string | undefined {
  const before = lines(parseUnitFile(registered));
  const after = lines(safelyParsed(sent));
  const tooNew = new Set(newDirectives(name, parseUnitFile(registered)));
  const added = after.find((line) => !before.includes(line));
  if (added !== undefined) return `${added}, which was not there`;
  const missing = before.find((line) => !after.includes(line) && !tooNew.has(line.slice(0, line.indexOf("="))));
  if (missing !== undefined) return `no ${missing}, which was there`;
  const kept = before.filter((line) => after.includes(line));
  return kept.join("\n") === after.join("\n") ? undefined : "its lines in another order or number";
}

/** A text that is no unit has one section without a name. */
function safelyParsed(text: string): UnitFile {
  try {
    return parseUnitFile(text);
  } catch {
    return { sections: [{ name: "", entries: [{ key: "text that is no unit", value: "" }] }] };
  }
}

function lines(file: UnitFile): string[] {
  return file.sections.flatMap(({ name, entries }) => entries.map(({ key, value }) => `[${name}] ${key}=${value}`));
}

/** `[Service] ProtectProc`, for each directive that the oldest supported systemd does not know. */
function newDirectives(name: string, file: UnitFile): string[] {
  return unitFileProblems(name, file, { systemd: 247 }).map(({ section, directive }) => `[${section}] ${directive}`);
}

/** Whether systemd would read a file as a unit or as part of one. */
function isUnitFile(path: string): boolean {
  return /^\/(etc|run|usr\/local\/lib|usr\/lib|lib)\/systemd\/system(\.control|\.attached)?\//.test(path);
}
