import { isDeepStrictEqual } from "node:util";
import type {
  Bundle,
  BundleEnvironment,
  BundleFile,
  BundleGate,
  BundleHook,
  BundleRelease,
  BundleUnit,
} from "../activation/bundle.ts";
import { bundleGateSchema } from "../activation/bundle.ts";
import { bundleUnits, unitPath } from "../activation/bundle-units.ts";
import { sha256 } from "../activation/digests.ts";
import { rolledInstances } from "../activation/plan-rolling.ts";
import { releaseRoot } from "../activation/release.ts";
import { uploadName } from "../activation/uploads.ts";
import type {
  DefinedEnvironment,
  DefinedFile,
  DefinedHook,
  DefinedRelease,
  DefinedUnit,
  Definition,
} from "./definition.ts";
import { hookUnitText } from "./hook-unit.ts";

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
 *   or a unit names what this host does not get
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
  const releases = agreed(
    "release",
    (release) => release.name,
    definitions.flatMap((definition) => definition.releases),
  );
  checkBeside(
    units,
    files.map((file) => file.path),
    releases.map((release) => release.name),
  );
  const bundled = bundleUnits(units, hostGates(definitions));
  return {
    format: 1,
    scope,
    users: agreed(
      "account",
      (user) => user.name,
      definitions.flatMap((definition) => definition.users),
    ),
    files: files.map(bundleFile),
    releases: releases.map((release) => bundleRelease(scope, release)),
    hooks: agreed(
      "hook",
      (hook: DefinedHook) => `${hook.kind} of ${hook.unit}`,
      definitions.flatMap((definition) => definition.hooks ?? []),
    ).flatMap((hook) => bundleHooks(hook, units)),
    units: bundled,
    adopt: adoptedPaths(
      adopt,
      units.map((unit) => unit.name),
      files.map((file) => file.path),
    ),
    keepGenerations,
    bounds: withWork(bounds, definitions, bundled),
  };
}

/** The gate of each unit. Several definitions may ask something of one: then all of it must hold. */
function hostGates(definitions: readonly Definition[]): Map<string, BundleGate> {
  const gates = new Map<string, BundleGate>();
  for (const { unit, settings } of definitions.flatMap((definition) => definition.gates ?? [])) {
    const gate = bundleGateSchema.parse(JSON.parse(settings));
    const other = gates.get(unit);
    gates.set(unit, other === undefined || isDeepStrictEqual(other, gate) ? gate : bothGates(other, gate));
  }
  return gates;
}

function bothGates(one: BundleGate, other: BundleGate): BundleGate {
  return {
    probes: [...one.probes, ...other.probes],
    stableSec: Math.max(one.stableSec, other.stableSec),
    withinSec: Math.max(one.withinSec, other.withinSec),
    confidential: one.confidential || other.confidential,
  };
}

/** What stands beside a unit and restarts or reloads it. One that nothing brings would hide a typing mistake. */
function checkBeside(units: readonly DefinedUnit[], files: readonly string[], releases: readonly string[]): void {
  for (const unit of units) {
    for (const [field, named, kind, there] of [
      ["restartOnFiles", unit.restartOnFiles, "file", files],
      ["reloadOnFiles", unit.reloadOnFiles ?? [], "file", files],
      ["restartOnReleases", unit.restartOnReleases, "release", releases],
    ] as const) {
      const index = named.findIndex((name) => !there.includes(name));
      if (index < 0) continue;
      throw new Error(
        `${unit.name}: ${field}[${index}]: this Host gets no ${kind} ${JSON.stringify(named[index])}; it gets ${there.join(", ") || "none"}`,
      );
    }
  }
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

/** An archive that travels to a host, under the name of its resource. */
export interface Upload {
  /** Name of the release, or of its wheels. */
  name: string;
  sha256: string;
  /** Path of the archive on this machine. */
  archive: string;
}

/** The archives of all releases, code and wheels: each once, also where several services ship the same. */
export function releaseUploads(definitions: readonly Definition[]): Upload[] {
  const all = definitions
    .flatMap(({ releases }) => releases)
    .flatMap(({ name, sha256: code, archive, environment }): Upload[] => [
      { name, sha256: code, archive },
      ...(environment?.wheelhouse === undefined || environment.wheelhouseSha256 === undefined
        ? []
        : [{ name: `${name}-wheels`, sha256: environment.wheelhouseSha256, archive: environment.wheelhouse }]),
    ])
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return [...new Map(all.toReversed().map((upload) => [upload.sha256, upload])).values()].reverse();
}

/**
 * Builds, hooks and the gates of instances, which are passed one after the other, have their own bounds: the transaction's
 * does not have to allow for them.
 */
function withWork(
  bounds: TransactionBounds,
  definitions: readonly Definition[],
  units: readonly BundleUnit[],
): TransactionBounds {
  const builds = definitions.flatMap(({ releases }) => releases.map(({ environment }) => environment?.buildSec ?? 0));
  const hooks = definitions.flatMap(({ hooks: own }) => (own ?? []).map(({ seconds }) => seconds));
  const names = units.map(({ name }) => name);
  const rolled = new Set(rolledInstances(names, names));
  const gates = units
    .filter(({ name }) => rolled.has(name))
    .map(({ gate, settleSec }) => Math.ceil((gate?.withinSec ?? 0) + settleSec));
  const further = [...builds, ...hooks, ...gates].reduce((sum, seconds) => sum + seconds, 0);
  return { ...bounds, transactionSec: Math.min(bounds.transactionSec + further, 86_400) };
}

function bundleFile({ encoding, ...file }: DefinedFile): BundleFile {
  return { ...file, encoding: encoding === "base64" ? "base64" : "utf-8" };
}

function bundleRelease(scope: string, release: DefinedRelease): BundleRelease {
  const { name, sha256: archive, id, keep, environment } = release;
  return {
    name,
    sha256: archive,
    upload: uploadName(scope, archive),
    directory: `${releaseRoot(name)}/releases/${id}`,
    link: `${releaseRoot(name)}/current`,
    keep,
    environment: environment === undefined ? null : bundleEnvironment(scope, name, environment),
  };
}

function bundleEnvironment(scope: string, name: string, environment: DefinedEnvironment): BundleEnvironment {
  const { digest, inputs, python, uv, wheelhouseSha256, wheel, pipConf, uvToml, buildSec } = environment;
  return {
    digest,
    directory: `${releaseRoot(name)}/environments`,
    // The component's schema admits only these words.
    lock: { kind: environment.lockKind as BundleEnvironment["lock"]["kind"], inputs, hashed: environment.isHashed },
    python: python ?? null,
    installer: environment.installer as BundleEnvironment["installer"],
    uv: uv ?? null,
    wheelhouse:
      wheelhouseSha256 === undefined ? null : { sha256: wheelhouseSha256, upload: uploadName(scope, wheelhouseSha256) },
    wheel: wheel ?? null,
    index: pipConf === undefined || uvToml === undefined ? null : { pip: pipConf, uv: uvToml },
    buildSec,
  };
}

function bundleHooks(hook: DefinedHook, units: readonly DefinedUnit[]): BundleHook[] {
  return units
    .filter(({ name }) => name === hook.unit)
    .map(({ text }) => ({
      release: hook.release,
      unit: hook.unit,
      // A PythonService has only these.
      kind: hook.kind as BundleHook["kind"],
      digest: sha256(JSON.stringify(hook.exec.map((word) => word.replace(/\/releases\/[0-9a-f]{16}\//, "/")))),
      content: hookUnitText(hook, text),
      seconds: hook.seconds,
    }));
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
