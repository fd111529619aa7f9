import { readFileSync, readlinkSync } from "node:fs";
import { basename, resolve } from "node:path";
import { parseUnitFile, UnitSyntaxError } from "../../systemd/unit-file.ts";
import { unitNameProblem } from "../../systemd/unit-name.ts";
import type { CheckedResource } from "../checked-resource.ts";
import { type CheckedUnit, unitFromFile } from "../checked-unit.ts";
import { reading, UnknownValueError } from "../unknown-values.ts";
import { copiedSource } from "./copied-source.ts";
import { shellWrites } from "./shell-writes.ts";

/** Units that a command or a copied file brings to a machine. */
export interface WrittenUnits {
  readonly units: readonly CheckedUnit[];
  /** Paths of units of which the text cannot be told, with the reason. */
  readonly unread: readonly { readonly path: string; readonly why: string }[];
}

const none: WrittenUnits = { units: [], unread: [] };

/**
 * The units in a resource of `@pulumi/command`.
 * @throws UnknownValueError where the input that may hold one is not known before the update
 */
export function writtenUnits(resource: CheckedResource): WrittenUnits {
  switch (resource.type) {
    case "command:remote:Command":
    case "command:local:Command":
      return fromCommand(resource);
    case "command:remote:CopyToRemote":
    case "command:remote:CopyFile":
      return fromCopy(resource);
    default:
      return none;
  }
}

function fromCommand(resource: CheckedResource): WrittenUnits {
  const scripts = ["create", "update"].map((key) => text(resource, key)).filter((script) => script !== undefined);
  const isWriting = scripts.some((script) => unitPath.test(script) || /\bsystemctl\b[^\n]*\bedit\b/.test(script));
  // Standard input may be unknown in a command that has nothing to do with units.
  const stdin = isWriting ? text(resource, "stdin") : undefined;
  const files = new Map<string, { parts: (string | undefined)[]; expands: boolean; isUnread: boolean }>();
  for (const script of new Set(scripts)) {
    for (const write of shellWrites(script, stdin)) {
      if (!isUnitPath(write.path)) continue;
      const before = write.appends ? files.get(write.path) : undefined;
      files.set(write.path, {
        parts: [...(before?.parts ?? []), write.text],
        expands: write.expands || before?.expands === true,
        isUnread: write.text === undefined || before?.isUnread === true || (write.appends && before === undefined),
      });
    }
  }
  const parts = [...files].map(([path, { parts: lines, expands, isUnread }]) =>
    isUnread ? unreadPath(path, "its text comes from elsewhere") : unitAt(resource, path, lines.join(""), expands),
  );
  const named = scripts.flatMap((script) => [...script.matchAll(new RegExp(unitPath, "g"))].map(([path]) => path));
  const written = new Set(files.keys());
  const others = isCopying(scripts) ? named.filter((path) => !written.has(path)) : [];
  return joined([...parts, ...[...new Set(others)].map((path) => unreadPath(path, "no text is written to it here"))]);
}

/** Whether a script brings files by a way that does not show their text. */
function isCopying(scripts: readonly string[]): boolean {
  return scripts.some((script) =>
    /(^|[\s;&|(/])(cp|mv|install|curl|wget|sed|scp|rsync|envsubst|python3?|tar|ln)\s/.test(script),
  );
}

function fromCopy(resource: CheckedResource): WrittenUnits {
  const path = text(resource, "remotePath");
  if (path === undefined || !isUnitPath(path)) return none;
  const local = text(resource, "localPath");
  const { text: inline, path: file } = local === undefined ? copiedSource(resource) : { path: local };
  if (typeof inline === "string") return joined([unitAt(resource, path, inline, false)]);
  if (typeof file !== "string") return joined([unreadPath(path, "it is no file of this machine")]);
  try {
    const content = readFileSync(resolve(programFolder(), file), "utf8");
    return joined([unitAt(resource, path, content, false)]);
  } catch {
    return joined([unreadPath(path, `${file} cannot be read from ${programFolder()}`)]);
  }
}

/** Pulumi does not tell a pack where the program is: its launcher runs there, and mostly so does the CLI's caller. */
function programFolder(): string {
  try {
    return readlinkSync(`/proc/${process.ppid}/cwd`);
  } catch {
    return process.env.PWD ?? ".";
  }
}

function unitAt(resource: CheckedResource, path: string, content: string, expands: boolean): WrittenUnits {
  const name = basename(path);
  if (name.endsWith(".conf")) return unreadPath(path, "it is a drop-in, which says nothing without its unit");
  if (unitNameProblem(name) !== undefined) return unreadPath(path, "its name is put together by the shell");
  const identity = { name, urn: resource.urn, waive: [] };
  try {
    const isUnknown = (value: string) => expands && /[$`]/.test(value);
    return { units: [unitFromFile(identity, parseUnitFile(content), isUnknown)], unread: [] };
  } catch (error) {
    if (!(error instanceof UnitSyntaxError)) throw error;
    return unreadPath(path, expands ? "the shell puts it together" : `systemd refuses it: ${error.message}`);
  }
}

function unreadPath(path: string, why: string): WrittenUnits {
  return { units: [], unread: [{ path, why }] };
}

function joined(parts: readonly WrittenUnits[]): WrittenUnits {
  return { units: parts.flatMap(({ units }) => units), unread: parts.flatMap(({ unread }) => unread) };
}

const unitPath =
  /[^\s'"=<>|;&]*\/systemd\/(?:system|user)\/[^\s'"<>|;&)]+\.(?:service|socket|timer|path|mount|target|conf)\b/;

/** Whether a file is a unit, or a drop-in of one, by its path; a plain name is one in the folder that the script is in. */
function isUnitPath(path: string): boolean {
  return (
    /\.(service|socket|timer|path|mount|automount|swap|target|slice)$/.test(path) ||
    /\.(service|socket|timer|path|mount)\.d\/[^/]+\.conf$/.test(path)
  );
}

/** One input that is text. @throws UnknownValueError */
function text(resource: CheckedResource, key: string): string | undefined {
  const value = known(resource, key);
  return typeof value === "string" ? value : undefined;
}

function known({ props }: CheckedResource, key: string): unknown {
  const { value, isKnown } = reading(() => props[key]);
  if (!isKnown) throw new UnknownValueError(key);
  return value;
}
