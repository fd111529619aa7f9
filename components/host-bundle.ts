import { isDeepStrictEqual } from "node:util";
import type { Bundle, BundleUnit } from "../activation/bundle.ts";
import { sha256, unitDigests } from "../activation/digests.ts";
import { releaseRoot } from "../activation/release.ts";
import { parseUnitFile } from "../systemd/unit-file.ts";
import type { DefinedUnit, Definition } from "./definition.ts";

/** Bounds of one transaction, in seconds. */
export interface TransactionBounds {
  transactionSec: number;
  waitSec: number;
  confirmSec: number;
}

/** What a Host keeps for later: what it took from others, and states to go back to. */
export interface HostKeeping {
  /** Absolute paths, or file names of units, that may take the place of what others made. */
  adopt?: readonly string[] | undefined;
  /** How many generations stay on the host, the present one included. Default: 5. */
  keepGenerations?: number | undefined;
}

/**
 * What a host must become so that all definitions hold on it. The same definitions give the same bundle in any order.
 * @param scope `project/stack/host`
 * @throws Error when two definitions claim the same unit, file, account or release and do not agree on it, or when `adopt`
 *   names what this host does not get
 */
export function hostBundle(
  scope: string,
  definitions: readonly Definition[],
  bounds: TransactionBounds,
  { adopt = [], keepGenerations = 5 }: HostKeeping = {},
): Bundle {
  const units = agreed(
    "unit",
    (unit: DefinedUnit) => unit.name,
    definitions.flatMap((definition) => definition.units),
  );
  const files = agreed(
    "file",
    (file) => file.path,
    definitions.flatMap((definition) => definition.files),
  );
  return {
    format: 1,
    scope,
    users: agreed(
      "account",
      (user) => user.name,
      definitions.flatMap((definition) => definition.users),
    ),
    files,
    releases: agreed(
      "release",
      (release) => release.name,
      definitions.flatMap((definition) => definition.releases),
    ).map(({ name, sha256: archive }) => ({
      name,
      sha256: archive,
      upload: uploadName(scope, archive),
      directory: `${releaseRoot(name)}/releases/${archive}`,
      link: `${releaseRoot(name)}/current`,
    })),
    units: units.map(bundleUnit),
    adopt: adoptedPaths(
      adopt,
      units.map((unit) => unit.name),
      files.map((file) => file.path),
    ),
    keepGenerations,
    bounds,
  };
}

/** What may be taken over, as paths. An entry that stands for nothing would hide a typing mistake. */
function adoptedPaths(adopt: readonly string[], units: readonly string[], files: readonly string[]): string[] {
  const paths = adopt.map((entry, index) => {
    const path = entry.startsWith("/") ? entry : unitPath(entry);
    if (files.includes(path) || units.some((unit) => unitPath(unit) === path)) return path;
    throw new Error(
      `adopt[${index}]: this Host has neither a unit nor a file ${JSON.stringify(entry)}; it has ${[...units, ...files].join(", ") || "none"}`,
    );
  });
  return [...new Set(paths)].sort();
}

function unitPath(name: string): string {
  return `/etc/systemd/system/${name}`;
}

/**
 * File name of a release's archive in the login user's home. The host program knows by it which archives are of this scope,
 * also those of an update that failed and was given up.
 */
export function uploadName(scope: string, archive: string): string {
  return `.pulumi-systemd-${sha256(scope).slice(0, 16)}-${archive}.tar`;
}

function bundleUnit(unit: DefinedUnit): BundleUnit {
  return {
    name: unit.name,
    path: unitPath(unit.name),
    content: unit.text,
    digests: unitDigests(unit.text),
    activation: unit.activation === "started" ? "started" : "on-demand",
    enabled: parseUnitFile(unit.text).sections.some((section) => section.name === "Install"),
    restartOn: { files: unit.restartOnFiles, releases: unit.restartOnReleases },
    triggeredBy: unit.triggeredBy,
    // The Unit's schema admits only these words.
    onChange: unit.onChange as BundleUnit["onChange"],
    settleSec: unit.settleSec,
  };
}

function agreed<T>(what: string, nameOf: (item: T) => string, items: readonly T[]): T[] {
  const byName = new Map<string, T>();
  for (const item of items) {
    const name = nameOf(item);
    const other = byName.get(name);
    if (other !== undefined && !isDeepStrictEqual(other, item)) {
      throw new Error(`two definitions claim the ${what} ${name} and do not agree on it; rename one of them`);
    }
    byName.set(name, item);
  }
  return [...byName.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
}
