import type { UnitModel } from "../systemd/sections.ts";
import { parseUnitFile, type UnitFile, unitModel } from "../systemd/unit-file.ts";
import { bytesProblem, parsedBytes } from "../systemd/values/bytes.ts";

/** What a unit's text says that decides how a change of it, or of a unit beside it, reaches the running system. */
export interface UnitFacts {
  /** Whether `systemctl reload` means something to it: `ExecReload=`, or `Type=notify-reload`. */
  readonly canReload: boolean;
  /** Whether it runs to an end and is then done: a oneshot without `RemainAfterExit=`. */
  readonly isJob: boolean;
  /** Units whose stop or restart takes this one along: `Requires=`, `Requisite=`, `BindsTo=`, `PartOf=`. */
  readonly stopsWith: readonly string[];
  /** Units whose stop stops this one: `StopPropagatedFrom=`. */
  readonly stopPropagatedFrom: readonly string[];
  /** Units whose stop or restart takes this one along once it is enabled there: `RequiredBy=`. */
  readonly requiredBy: readonly string[];
  /** Its other names once it is enabled: `Alias=`. */
  readonly aliases: readonly string[];
  /** Units that its stop stops: `PropagatesStopTo=`. */
  readonly propagatesStopTo: readonly string[];
  /** Units of which one that is not up makes systemd stop this one as soon as it has read its file: `BindsTo=`. */
  readonly bindsTo: readonly string[];
  /** Units that it starts by itself: those of a socket, a timer or a path. */
  readonly triggers: readonly string[];
  /** The template of which a socket has systemd start an instance for each connection; null where it does not. */
  readonly perConnection: string | null;
  /** Sockets that a service asks for in `Sockets=`. */
  readonly sockets: readonly string[];
  /** `MemoryMax=` in bytes; null for none, and for a share of the host's memory. */
  readonly memoryMax: number | null;
  /** Where a socket listens, as written: `127.0.0.1:8000`. */
  readonly listens: readonly string[];
  /** Whether a timer counts from a moment that has passed, so that starting it again could make it fire. */
  readonly countsFromThePast: boolean;
}

const takenAlong = ["Requires", "Requisite", "BindsTo", "PartOf"];
const listening = (key: string) => key.startsWith("Listen");
const triggering = (key: string) => /^On([A-Z][a-z]+)+Sec$|^OnCalendar$/.test(key);
const fromThePast = new Set(["OnBootSec", "OnStartupSec", "OnActiveSec"]);

/**
 * The facts of one unit.
 * @param name file name of the unit; without `Unit=` or `Service=` a trigger starts the service of its own name
 * @param text the exact bytes of the unit file
 */
export function unitFacts(name: string, text: string): UnitFacts {
  const file = parseUnitFile(text);
  const model = unitModel(file);
  const type = last(model, "Service", "Type");
  return {
    canReload: assigned(model, "Service", "ExecReload").length > 0 || type === "notify-reload",
    isJob: type === "oneshot" && !isTrue(last(model, "Service", "RemainAfterExit")),
    requiredBy: unique(words(model, "Install", "RequiredBy")),
    aliases: unique(words(model, "Install", "Alias")),
    stopPropagatedFrom: unique(words(model, "Unit", "StopPropagatedFrom")),
    propagatesStopTo: unique(words(model, "Unit", "PropagatesStopTo")),
    bindsTo: unique(words(model, "Unit", "BindsTo")),
    stopsWith: unique([
      ...takenAlong.flatMap((key) => words(model, "Unit", key)),
      // What runs in a slice requires it.
      ...words(model, "Service", "Slice"),
    ]),
    triggers: triggersOf(name, model),
    perConnection: accepts(name, model) ? `${stemOf(name)}@.service` : null,
    sockets: words(model, "Service", "Sockets"),
    memoryMax: memoryBytes(last(model, "Service", "MemoryMax")),
    listens: assignedTogether(file, "Socket", listening).map(({ value }) => value),
    countsFromThePast: assignedTogether(file, "Timer", triggering).some(({ key }) => fromThePast.has(key)),
  };
}

/** A size in bytes where the text is one: not `infinity`, not a percentage, not empty. */
export function memoryBytes(text: string | undefined): number | null {
  return text === undefined || text === "" || bytesProblem(text) !== undefined ? null : parsedBytes(text);
}

function triggersOf(name: string, model: UnitModel): readonly string[] {
  const own = `${stemOf(name)}.service`;
  if (name.endsWith(".timer")) return [last(model, "Timer", "Unit") || own];
  if (name.endsWith(".path")) return [last(model, "Path", "Unit") || own];
  if (!name.endsWith(".socket")) return [];
  // Each connection gets an instance of its own from a template; nothing else hangs on it.
  if (accepts(name, model)) return [];
  return [last(model, "Socket", "Service") || own];
}

function accepts(name: string, model: UnitModel): boolean {
  return name.endsWith(".socket") && isTrue(last(model, "Socket", "Accept"));
}

function stemOf(name: string): string {
  return name.slice(0, name.lastIndexOf("."));
}

/** The values of a key since its last reset. */
function assigned(model: UnitModel, section: string, key: string): readonly string[] {
  const values = [model[section]?.[key] ?? []].flat();
  return values.slice(values.lastIndexOf("") + 1);
}

/** Assignments of keys of which an empty one takes back all that stands before it, in the order of the file. */
function assignedTogether({ sections }: UnitFile, section: string, belongs: (key: string) => boolean) {
  const entries = sections.filter(({ name }) => name === section).flatMap((one) => one.entries);
  const together = entries.filter(({ key }) => belongs(key));
  return together.slice(together.findLastIndex(({ value }) => value === "") + 1);
}

function last(model: UnitModel, section: string, key: string): string | undefined {
  return [model[section]?.[key] ?? []].flat().at(-1);
}

/** Names in a list of units; what a specifier stands for is known on the host alone. */
function words(model: UnitModel, section: string, key: string): string[] {
  return [model[section]?.[key] ?? []]
    .flat()
    .flatMap((value) => value.split(/\s+/))
    .filter((word) => word !== "" && !word.includes("%"));
}

function isTrue(value: string | undefined): boolean {
  return ["1", "yes", "y", "true", "t", "on"].includes(value?.toLowerCase() ?? "");
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}
