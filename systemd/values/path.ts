import { firstOf, firstWordProblem, received, type ValueCheck, versionProblem } from "./value-check.ts";

/** Whether a text begins with a specifier such as `%h`, so that only the host knows how its value begins. */
export function beginsWithSpecifier(text: string): boolean {
  return /^%[A-Za-z]/.test(text);
}

/** Specifiers that stand for names and ids, never for a path. */
const nameSpecifier = /^%[HlqnNpimbuUgGaABMovwW]/;

/** Why a text is no absolute path without `..`; one that begins with a specifier may be. */
export function pathProblem(path: string): string | undefined {
  if (nameSpecifier.test(path))
    return `${received(path)} is not an absolute path: ${path.slice(0, 2)} stands for a name`;
  if (beginsWithSpecifier(path)) return undefined;
  if (!path.startsWith("/")) return `${received(path)} is not an absolute path${pathHint(path)}`;
  if (path.split("/").includes(".."))
    return `${received(path)} holds "..", which systemd refuses; write the path without it`;
  return undefined;
}

/** Why a value is no absolute path. */
export const absolutePathProblem: ValueCheck = (value) => pathProblem(value);

/** Why a value is no list of absolute paths. */
export const absolutePathsProblem: ValueCheck = (value) => firstWordProblem(value, pathProblem);

/** Why a value is no list of absolute paths that may each have `-` (may be missing) and then `+` (below the root). */
export const sandboxPathsProblem: ValueCheck = (value) =>
  firstWordProblem(value, (word) =>
    word.startsWith("+-")
      ? `${received(word)} has its marks in the wrong order; write - before +`
      : pathProblem(word.replace(/^-?\+?/, "")),
  );

/** Why a value is no list of absolute paths with colons between. */
export const searchPathProblem: ValueCheck = (value) => firstOf(value.split(":"), pathProblem);

/** Why a value is no path of an environment file: absolute, after an optional `-`; patterns are allowed. */
export const environmentFileProblem: ValueCheck = (value) => pathProblem(value.replace(/^-/, ""));

/** Why a value is no working directory: an absolute path or `~`, after an optional `-`. */
export const workingDirectoryProblem: ValueCheck = (value) => {
  const path = value.replace(/^-/, "");
  return path === "~" ? undefined : pathProblem(path);
};

/** Why a value is no path condition: `|` for one of several, then `!` for the opposite, then an absolute path. */
export const conditionPathProblem: ValueCheck = (value) => {
  if (/^!\|/.test(value)) return `${received(value)} has its marks in the wrong order; write | before !`;
  const path = value.replace(/^\|?!?/, "");
  return pathProblem(path);
};

/** Why a value is no PID file; a relative path is below /run. */
export const pidFileProblem: ValueCheck = (value) =>
  value.split("/").includes("..")
    ? `${received(value)} holds "..", which systemd refuses; write the path without it`
    : undefined;

/**
 * Why a value is no list of directories below /var/lib, /run, ...: relative paths without `.` and `..`, not `private`;
 * from 250 on each with a link after a colon.
 */
export const directoryNamesProblem: ValueCheck = (value, directive, systemd) =>
  firstWordProblem(value, (word) => {
    if (/^:+$/.test(word)) return `${received(word)} names no directory; write directory or directory:link`;
    const [directory = "", link = "", flags = "", ...rest] = word.split(":");
    if (!["", "ro"].includes(flags) || rest.length > 0) {
      return `${received(word)} has unknown flags; write directory, directory:link or directory:link:ro`;
    }
    if (link !== "" && directive.name === "ConfigurationDirectory") {
      return `${received(word)} names a link, which this directive does not make; write the directory alone`;
    }
    const problem = firstOf([directory, link], directoryNameProblem);
    return problem ?? (link === "" ? undefined : versionProblem(`:${link}`, 250, systemd));
  });

function directoryNameProblem(name: string): string | undefined {
  if (name === "" || beginsWithSpecifier(name)) return undefined;
  if (name.startsWith("/")) {
    return `${received(name)} is an absolute path; write it relative to the directory's own place, such as "api" for /var/lib/api`;
  }
  if (name.split("/").some((part) => part === "." || part === "..")) {
    return `${received(name)} holds "." or "..", which systemd refuses; write the path without it`;
  }
  if (name === "private" || name.startsWith("private/"))
    return `${received(name)} is reserved for DynamicUser; write another name`;
  return undefined;
}

function pathHint(path: string): string {
  if (/^["'].*["']$/.test(path)) return "; quotes are part of the value here, write it without them";
  if (path.startsWith("~"))
    return '; only the shell knows ~, write the home directory itself, or "%h" for that of the service manager\'s user';
  if (/\$[A-Za-z{]/.test(path)) return "; variables are not expanded here";
  return path === "" ? "" : '; it must begin with "/"';
}
