import type { AnnotatedUnitFile, SectionPosition, UnitFile, UnitNote } from "./unit-file.ts";

/** A drop-in: a file in a folder such as `api.service.d`. */
export interface DropIn {
  /** Name of its folder, `api.service.d`. */
  readonly folder: string;
  /** Its own name, `10-limits.conf`; only names in `.conf` count. */
  readonly name: string;
}

/** A unit that was put together from several files. */
export interface MergedUnitFile {
  readonly file: UnitFile;
  readonly positions: readonly SectionPosition[];
  readonly notes: readonly (UnitNote & { readonly origin: string })[];
  /** The file that each section comes from; same order and length as `file.sections`. */
  readonly origins: readonly string[];
}

/**
 * The drop-ins of a unit in the order in which systemd reads them, by their names (systemd.unit(5)). Of those
 * of one name only that of the nearest folder counts: of the unit, its template, each prefix that ends in a dash
 * (`api-.service.d` for `api-http.service`), last the type (`service.d`).
 */
export function dropInsOf<D extends DropIn>(unitName: string, all: readonly D[]): D[] {
  const byName = new Map<string, D>();
  for (const folder of dropInFolders(unitName)) {
    for (const dropIn of all) {
      if (dropIn.folder === folder && dropIn.name.endsWith(".conf") && !byName.has(dropIn.name)) {
        byName.set(dropIn.name, dropIn);
      }
    }
  }
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Folders whose drop-ins a unit takes, the nearest first: `api@x.service.d`, `api@.service.d`, `service.d`. */
export function dropInFolders(unitName: string): string[] {
  const dot = unitName.lastIndexOf(".");
  const type = unitName.slice(dot + 1);
  const [prefix = "", ...rest] = unitName.slice(0, Math.max(dot, 0)).split("@");
  const instance = rest.length > 0 ? rest.join("@") : undefined;
  const folders: string[] = [];
  for (let name: string | undefined = prefix; name !== undefined; name = shorterPrefix(name)) {
    if (instance) folders.push(`${name}@${instance}.${type}.d`);
    folders.push(instance === undefined ? `${name}.${type}.d` : `${name}@.${type}.d`);
  }
  return [...folders, `${type}.d`];
}

/** `a-b-` for `a-b-c`, `a-` for `a-b-`; undefined where there is no dash before. */
function shorterPrefix(prefix: string): string | undefined {
  const dash = prefix.replace(/-$/, "").lastIndexOf("-");
  return dash < 0 ? undefined : prefix.slice(0, dash + 1);
}

/** The sections of a unit and its drop-ins, one after the other, as systemd reads them. */
export function mergedUnitFile(
  parts: readonly { readonly origin: string; readonly unit: AnnotatedUnitFile }[],
): MergedUnitFile {
  return {
    file: { sections: parts.flatMap(({ unit }) => unit.file.sections) },
    positions: parts.flatMap(({ unit }) => unit.positions),
    notes: parts.flatMap(({ origin, unit }) => unit.notes.map((note) => ({ ...note, origin }))),
    origins: parts.flatMap(({ origin, unit }) => unit.file.sections.map(() => origin)),
  };
}
