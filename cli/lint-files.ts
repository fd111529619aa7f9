import { readdirSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { UnitSyntaxError } from "../systemd/unit-file.ts";
import { isUnitType } from "../systemd/unit-name.ts";
import { fileText, nameOfInput, reasonOf, standardInput, UsageError } from "./unit-source.ts";

/** One file that is linted. */
export interface LintFile {
  /** As it was given, or for a file of a given folder as a person would write it. */
  readonly path: string;
  /** Files of one folder are the units of one host. */
  readonly folder: string;
  /** `api.service`, or for a drop-in `api.service.d/10-limits.conf`. */
  readonly name: string;
  readonly text: string | UnitSyntaxError;
}

/**
 * The files behind the paths of a command line, each once. A folder stands for the unit files in it and their drop-ins, a
 * folder such as `api.service.d` for its drop-ins, `-` for standard input.
 * @param inputName name of the unit from standard input
 * @throws UsageError naming the path that cannot be read, and a folder without unit files
 */
export function lintFiles(paths: readonly string[], inputName = nameOfInput): LintFile[] {
  const files = paths.flatMap((path) => (path === standardInput ? [inputFile(inputName)] : filesAt(path)));
  return [...new Map(files.map((file) => [`${file.folder}\0${file.name}`, file])).values()];
}

function inputFile(name: string): LintFile {
  return { path: standardInput, folder: standardInput, name, text: textOf(standardInput) };
}

function filesAt(path: string): LintFile[] {
  if (!isFolder(path)) return [lintFile(path)];
  const found = isDropInFolder(path) ? filesIn(path, ".conf") : [...filesIn(path), ...dropInFoldersIn(path)];
  if (found.length === 0) throw new UsageError(`${path}: holds no unit files`);
  return found.map(lintFile);
}

function lintFile(path: string): LintFile {
  const folder = dirname(resolve(path));
  const isDropIn = path.endsWith(".conf") && isDropInFolder(folder);
  return {
    path,
    folder: isDropIn ? dirname(folder) : folder,
    name: isDropIn ? `${basename(folder)}/${basename(path)}` : basename(path),
    text: textOf(path),
  };
}

function textOf(path: string): string | UnitSyntaxError {
  try {
    return fileText(path);
  } catch (error) {
    if (error instanceof UnitSyntaxError) return error;
    throw error;
  }
}

/** `api.service.d`, or `service.d` for all services. */
function isDropInFolder(path: string): boolean {
  const type = /(?:^|\.)([a-z]+)\.d$/.exec(basename(path))?.[1];
  return type !== undefined && isUnitType(type);
}

function dropInFoldersIn(folder: string): string[] {
  return namesIn(folder)
    .map((name) => join(folder, name))
    .filter((path) => isDropInFolder(path) && isFolder(path))
    .flatMap((path) => filesIn(path, ".conf"));
}

/** The files of a folder with the suffix of a unit type, or with the one given. */
function filesIn(folder: string, suffix?: string): string[] {
  return namesIn(folder)
    .filter((name) =>
      suffix === undefined ? isUnitType(name.slice(name.lastIndexOf(".") + 1)) : name.endsWith(suffix),
    )
    .map((name) => join(folder, name))
    .filter((path) => !isFolder(path));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    throw new UsageError(`${folder}: cannot be read: ${reasonOf(error)}`);
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
