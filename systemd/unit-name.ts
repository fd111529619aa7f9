import { textOfUtf8, unwritableCharacter } from "./encodable-text.ts";

/** The kinds of unit, as the suffix of a unit name says them. */
export const unitTypes = [
  "service",
  "socket",
  "target",
  "device",
  "mount",
  "automount",
  "swap",
  "timer",
  "path",
  "slice",
  "scope",
] as const;

/** One kind of unit: `service`, `timer`, ... */
export type UnitType = (typeof unitTypes)[number];

/** A unit name in its parts: `getty@tty1.service` is prefix `getty`, instance `tty1`, type `service`. */
export interface UnitName {
  readonly name: string;
  /** What stands before the first `@`, or before the suffix. */
  readonly prefix: string;
  /** What stands between the first `@` and the suffix, still escaped (`%i`); absent for a plain name and a template. */
  readonly instance?: string;
  readonly type: UnitType;
  /** True for a name such as `getty@.service`, which only its instances can run. */
  readonly isTemplate: boolean;
}

/** The longest unit name, in bytes, suffix included. */
const longestName = 255;

/**
 * Why a text is no unit name, or undefined where it is one: at most 255 of the characters `A-Za-z0-9:-_.\@`, not
 * beginning with `.` or `@`, ending in the suffix of a unit type (systemd.unit(5)).
 */
export function unitNameProblem(name: string): string | undefined {
  const received = `unit name ${JSON.stringify(name)}`;
  if (name === "") return `${received} is empty; write a name such as "api.service"`;
  const bad = /[^A-Za-z0-9:\-_.\\@]/u.exec(name);
  if (bad !== null) {
    return `${received} holds ${JSON.stringify(bad[0])}; only letters, digits and : - _ . \\ @ are allowed (escape other text, as systemd-escape does)`;
  }
  if (name.length > longestName) {
    return `${received} has ${name.length} characters; at most ${longestName} are allowed`;
  }
  const type = name.slice(name.lastIndexOf(".") + 1);
  if (!name.includes(".") || !isUnitType(type)) {
    return `${received} does not end in the suffix of a unit type; write one of ${unitTypes.map((known) => `.${known}`).join(" ")}`;
  }
  if (name.startsWith(".")) return `${received} begins with a dot; write a name before the suffix`;
  if (name.startsWith("@")) return `${received} begins with @; write a name before the @`;
  return undefined;
}

/**
 * The parts of a unit name.
 * @throws Error with the text of `unitNameProblem`.
 */
export function parsedUnitName(name: string): UnitName {
  const problem = unitNameProblem(name);
  if (problem !== undefined) throw new Error(problem);
  const dot = name.lastIndexOf(".");
  const at = name.indexOf("@");
  const type = name.slice(dot + 1);
  if (!isUnitType(type)) throw new Error(`unit name ${JSON.stringify(name)} has no unit type`);
  if (at < 0 || at > dot) return { name, prefix: name.slice(0, dot), type, isTemplate: false };
  const prefix = name.slice(0, at);
  const instance = name.slice(at + 1, dot);
  return instance === ""
    ? { name, prefix, type, isTemplate: true }
    : { name, prefix, instance, type, isTemplate: false };
}

/** Whether a text is the suffix of a unit type, without its dot. */
export function isUnitType(text: string): text is UnitType {
  return unitTypes.some((type) => type === text);
}

/**
 * A text as part of a unit name, as `systemd-escape` writes it: `/` becomes `-`; bytes other than `A-Za-z0-9:_.`, and a
 * leading dot, become `\xHH`.
 * @throws Error for NUL and what has no UTF-8 form.
 */
export function escapedUnitNamePart(text: string): string {
  const found = unwritableCharacter(text);
  if (found !== undefined) throw new Error(`a unit name cannot hold ${found.what}, got ${JSON.stringify(text)}`);
  return [...new TextEncoder().encode(text)].map(escapedByte).join("");
}

/**
 * The text that `escapedUnitNamePart` escaped, as `systemd-escape --unescape` gives it.
 * @throws Error for a backslash that begins no `\xHH`, and for bytes that are not UTF-8.
 */
export function unescapedUnitNamePart(escaped: string): string {
  const bytes: number[] = [];
  for (const [piece] of escaped.matchAll(/\\x[0-9a-fA-F]{2}|[^\\]|\\/gu)) {
    if (piece === "\\") {
      throw new Error(
        `${JSON.stringify(escaped)} holds a backslash that begins no \\xHH; it was not escaped by systemd-escape`,
      );
    }
    if (piece.startsWith("\\x")) bytes.push(Number.parseInt(piece.slice(2), 16));
    else bytes.push(...new TextEncoder().encode(piece === "-" ? "/" : piece));
  }
  const text = textOfUtf8(bytes);
  if (text === undefined) throw new Error(`${JSON.stringify(escaped)} holds bytes that are not UTF-8`);
  return text;
}

/**
 * A path as part of a unit name, as `systemd-escape --path` writes it: `/srv/my data/` becomes `srv-my\x20data`, and
 * `/` becomes `-`. The names of mount, automount and swap units must be the escaped path.
 * @throws Error for a path with `..`, and for one that is empty or only dots.
 */
export function escapedPath(path: string): string {
  const components = path.split("/").filter((component) => component !== "" && component !== ".");
  if (components.includes("..")) {
    throw new Error(`path ${JSON.stringify(path)} holds ".."; a unit name needs the path without it`);
  }
  if (components.length > 0) return escapedUnitNamePart(components.join("/"));
  if (!path.startsWith("/")) throw new Error(`path ${JSON.stringify(path)} names nothing; write an absolute path`);
  return "-";
}

/**
 * The absolute path that `escapedPath` escaped.
 * @throws Error for what is no escaped path.
 */
export function unescapedPath(escaped: string): string {
  if (escaped === "-") return "/";
  const path = unescapedUnitNamePart(escaped);
  const isNormal = path.split("/").every((component) => component !== "" && component !== "." && component !== "..");
  if (!isNormal) throw new Error(`${JSON.stringify(escaped)} is no escaped path; "/srv/data" is escaped as "srv-data"`);
  return `/${path}`;
}

/**
 * The name of one instance of a template: `instanceOf("getty@.service", "tty1")` is `getty@tty1.service`.
 * @param instance Already escaped; see `escapedUnitNamePart` and `escapedPath`.
 * @throws Error for a name that is no template and for an instance that is not escaped.
 */
export function instanceOf(template: string, instance: string): string {
  const parsed = parsedUnitName(template);
  if (!parsed.isTemplate) {
    throw new Error(`unit name ${JSON.stringify(template)} is no template; a template ends in @.${parsed.type}`);
  }
  if (instance === "") throw new Error(`an instance of ${template} needs a name, got ""`);
  if (/[^A-Za-z0-9:\-_.\\@]/u.test(instance)) {
    throw new Error(
      `instance ${JSON.stringify(instance)} of ${template} must be escaped; write ${JSON.stringify(escapedUnitNamePart(instance))}`,
    );
  }
  return parsedUnitName(`${parsed.prefix}@${instance}.${parsed.type}`).name;
}

function escapedByte(byte: number, index: number): string {
  const character = String.fromCharCode(byte);
  if (character === "/") return "-";
  const isPlain = /[A-Za-z0-9:_.]/.test(character) && !(index === 0 && character === ".");
  return isPlain ? character : `\\x${byte.toString(16).padStart(2, "0")}`;
}
