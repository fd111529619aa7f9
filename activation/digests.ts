import { createHash } from "node:crypto";
import type { UnitModel } from "../systemd/sections.ts";
import { parseUnitFile, unitModel } from "../systemd/unit-file.ts";
import type { BundleDigests } from "./bundle.ts";
import { type ChangeClass, changeClass } from "./change-class.ts";

/** By text: many hosts have the same units. */
const known = new Map<string, BundleDigests>();

/**
 * The digests that decide what a change of this unit needs on a host: one for each class of directives.
 * @param text the exact bytes of the unit file
 */
export function unitDigests(text: string): BundleDigests {
  const found = known.get(text) ?? computedDigests(text);
  known.set(text, found);
  return { ...found };
}

function computedDigests(text: string): BundleDigests {
  const model = unitModel(parseUnitFile(text));
  return {
    file: sha256(text),
    restart: modelDigest(model, "restart"),
    reload: modelDigest(model, "reload"),
    limits: modelDigest(model, "limits"),
    manager: modelDigest(model, "manager"),
    install: modelDigest(model, "install"),
  };
}

/** SHA-256 of a text's UTF-8 bytes in lower-case hex. */
export function sha256(text: string | Uint8Array): string {
  return createHash("sha256").update(text).digest("hex");
}

function modelDigest(model: UnitModel, wanted: ChangeClass): string {
  const counted = Object.entries(model)
    .flatMap(([section, directives]) =>
      Object.entries(directives)
        .filter(([key, value]) => changeClass(section, key, [value].flat()) === wanted)
        .map(([key, value]) => [section, key, value] as const),
    )
    .sort(([sectionA, keyA], [sectionB, keyB]) => (`${sectionA}\0${keyA}` < `${sectionB}\0${keyB}` ? -1 : 1));
  return sha256(JSON.stringify(counted));
}
