/**
 * The first systemd that knows a specifier in unit files; 0 stands for all versions that anyone still runs (older than
 * 240). From NEWS, the specifier tables of the sources, and `systemd-analyze verify` on 252.
 */
const sinceVersion: ReadonlyMap<string, number> = new Map([
  ...[..."bfhHiImnNpPstuUvSCLETVjJ"].map((letter): [string, number] => [letter, 0]),
  ...[..."gG"].map((letter): [string, number] => [letter, 240]),
  ...[..."aolwBW"].map((letter): [string, number] => [letter, 246]),
  ...[..."AM"].map((letter): [string, number] => [letter, 249]),
  ...[..."dqyY"].map((letter): [string, number] => [letter, 251]),
  ["D", 256],
]);

const deprecated: ReadonlySet<string> = new Set("crR");

/** A text in which systemd expands nothing: every `%` doubled. */
export function escapedSpecifiers(text: string): string {
  return text.replaceAll("%", "%%");
}

/** A text with each `%%` as one `%`. Specifiers such as `%h` stay as they are: only the host knows their value. */
export function unescapedSpecifiers(text: string): string {
  return text.replaceAll("%%", "%");
}

/** The specifiers of a text in order of appearance, such as `["%h", "%i"]`; `%%` is none. */
export function specifiersIn(text: string): readonly string[] {
  return [...text.matchAll(/%(%|[A-Za-z0-9])/g)].map((found) => found[0]).filter((found) => found !== "%%");
}

/**
 * Why systemd cannot expand the specifiers of a text, or undefined where it can. An unknown specifier makes a command
 * line fail the unit, and any other assignment be ignored.
 * @param systemdVersion Version of the host, such as 252. Without it, whatever any version knows (up to 257) is allowed.
 */
export function specifierProblem(text: string, systemdVersion = Number.POSITIVE_INFINITY): string | undefined {
  const problems = [...new Set(specifiersIn(text))].map((specifier) => oneProblem(specifier, systemdVersion));
  const found = problems.filter((problem) => problem !== undefined);
  return found.length > 0 ? found.join("; ") : undefined;
}

function oneProblem(specifier: string, systemdVersion: number): string | undefined {
  const letter = specifier.slice(1);
  if (deprecated.has(letter)) {
    return `${specifier} is a deprecated specifier that does not work as intended; write %${specifier} for the two characters ${specifier}`;
  }
  const since = sinceVersion.get(letter);
  if (since === undefined) {
    return `${specifier} is no specifier of systemd; write %${specifier} for the two characters ${specifier}`;
  }
  if (since > systemdVersion) {
    return `${specifier} needs systemd ${since}, the host has ${systemdVersion}`;
  }
  return undefined;
}
