import { specifiersIn } from "../specifiers.ts";
import { cUnescaped, WordSyntaxError } from "../words.ts";
import { base64TextProblem } from "./mount.ts";
import { received, type ValueCheck } from "./value-check.ts";

/**
 * Why a value is no `ID:VALUE`; the value of an encrypted one is base64. Never echoes what stands behind the colon.
 */
export const credentialValueProblem: ValueCheck = (value, directive) => {
  const colon = value.indexOf(":");
  if (colon < 0) return "there is no colon; write the name, a colon and the value";
  const problem = nameProblem(value.slice(0, colon));
  if (problem !== undefined) return problem;
  if (value.length === colon + 1) return "there is no value behind the colon";
  if (directive.name === "SetCredentialEncrypted") return base64TextProblem(value.slice(colon + 1));
  try {
    cUnescaped(value.slice(colon + 1));
    return undefined;
  } catch (error) {
    if (error instanceof WordSyntaxError) return `the value has a bad escape: ${error.message}`;
    throw error;
  }
};

/** First systemd that passes on its own credential of that name; 247 refuses the line (measured). */
const withoutPath = 249;

/**
 * Why a value is no `ID[:PATH]`. The path is absolute, without `.`, `..` and empty parts; without a path, or with a name
 * in its place, a credential of the system is passed on.
 */
export const credentialPathProblem: ValueCheck = (value, _directive, systemd) => {
  const colon = value.indexOf(":");
  if (colon < 0 && systemd !== undefined && systemd < withoutPath) {
    return `${received(value)} has no path, which needs systemd ${withoutPath}, the target has ${systemd}; write ID:PATH`;
  }
  const problem = nameProblem((colon < 0 ? value : value.slice(0, colon)).replace(/^["']/, "").replace(/["']$/, ""));
  if (problem !== undefined) return problem;
  const path = colon < 0 ? "" : value.slice(colon + 1);
  if (path.split("/").includes(".."))
    return `${received(path)} holds "..", which systemd refuses; write the path without it`;
  if (path === "" || specifiersIn(path).length > 0) return undefined;
  if (!path.startsWith("/")) {
    return nameProblem(path) === undefined
      ? undefined
      : `${received(path)} is neither an absolute path nor the name of a credential; begin the path with "/"`;
  }
  return /\/\/|\/\.(\/|$)/.test(path)
    ? `${received(path)} holds "//" or ".", which systemd refuses here; write the path without it`
    : undefined;
};

/** Why a value is no name of a credential, with `*` at its end for all that begin so, and from 257 on a new name. */
export const credentialPatternProblem: ValueCheck = (value) => {
  const [pattern = "", renamed] = value.split(":");
  if (/[*?[]/.test(pattern.replace(/\*$/, ""))) {
    return `${received(pattern)} is no pattern of credentials; only a * at its end stands for any text`;
  }
  return nameProblem(pattern.replace(/\*$/, "") || "x") ?? (renamed === undefined ? undefined : nameProblem(renamed));
};

function nameProblem(name: string): string | undefined {
  if (specifiersIn(name).length > 0 && !/[/:]/.test(name)) return undefined;
  const isName = name !== "" && name !== "." && name !== ".." && /^[\x20-\x7e]+$/.test(name) && !/[/:]/.test(name);
  return isName
    ? undefined
    : `${received(name)} is no name of a credential; write ASCII text without / and :, at most 255 characters`;
}
