import { suggestedDirectives } from "../systemd/exposure/suggestion.ts";
import { type Exposure, exposureOf } from "../systemd/exposure.ts";
import { type Paint, type Terminal, tableLines } from "./terminal.ts";
import { type UnitSource, UsageError, unitSource } from "./unit-source.ts";

/** Options of `pulumi-systemd score`. */
export interface ScoreOptions {
  systemd: number;
  threshold?: number;
  suggest?: boolean;
  explain?: boolean;
  /** Name of the unit from standard input. */
  name?: string;
  target: number;
  json?: boolean;
}

const oldestScored = 252;
const newestScored = 257;

/**
 * Prints the exposure score of each service, as `systemd-analyze security --offline=yes` gives it.
 * @returns 1 when a score is above the threshold, else 0
 * For a systemd whose score is not known that of the nearest known one is printed, with a note on standard error.
 */
export function score(paths: readonly string[], options: ScoreOptions, terminal: Terminal): number {
  const systemd = Math.min(Math.max(options.systemd, oldestScored), newestScored);
  if (systemd !== options.systemd) terminal.complain(nearestNote(options.systemd, systemd));
  const scored = paths.map((path) => {
    const source = unitSource(path, options.name);
    return { source, exposure: exposureOfSource(source, systemd) };
  });
  if (options.suggest === true) suggest(scored, { ...options, systemd }, terminal);
  else if (options.json === true)
    terminal.print(
      JSON.stringify(
        scored.map(({ exposure }) => exposure),
        null,
        2,
      ),
    );
  else if (options.explain === true)
    terminal.print(...scored.flatMap(({ exposure }) => explanation(exposure, terminal)));
  else
    terminal.print(
      ...scoreTable(
        scored.map(({ exposure }) => exposure),
        terminal,
      ),
    );
  const { threshold } = options;
  return threshold !== undefined && scored.some(({ exposure }) => exposure.exposure > threshold) ? 1 : 0;
}

function exposureOfSource({ path, name, file }: UnitSource, systemd: number): Exposure {
  try {
    return exposureOf(name, file, { systemd });
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(`${path}: ${error.message}`);
    throw error;
  }
}

function nearestNote(asked: number, used: number): string {
  const reason =
    asked < used
      ? `systemd ${asked} scores no files, only loaded units`
      : `the score of systemd ${asked} is not known here`;
  return `note: ${reason}; this is the score of ${used}, the nearest that is known`;
}

interface Scored {
  readonly source: UnitSource;
  readonly exposure: Exposure;
}

function suggest(scored: readonly Scored[], { systemd, target, json }: ScoreOptions, terminal: Terminal): void {
  const suggestions = scored.map(({ source, exposure }) => ({
    unit: source.name,
    exposure: exposure.exposure,
    target,
    ...suggestedDirectives(source.name, source.file, target, { systemd }),
  }));
  if (json === true) {
    terminal.print(JSON.stringify(suggestions, null, 2));
    return;
  }
  const { strong, faint, warning } = terminal.style;
  for (const { unit, exposure, reached, directives } of suggestions) {
    terminal.print(`${faint("#")} ${strong(unit)}: ${exposure.toFixed(1)} now, ${reached.toFixed(1)} with`);
    terminal.print("[Service]", ...directives.map(({ directive, value }) => `${directive}=${value}`));
    if (reached > target) terminal.print(warning(`# ${target.toFixed(1)} cannot be reached by directives alone`));
  }
}

/** Each test that is not good, those that count most first: what the service can do, what to write, what that may break. */
function explanation({ unit, exposure, rating, tests }: Exposure, { style }: Terminal): string[] {
  const { strong, faint } = style;
  const open = tests.filter((test) => test.exposure !== null).sort((a, b) => (b.exposure ?? 0) - (a.exposure ?? 0));
  return [
    `${faint("#")} ${strong(unit)}: ${exposure.toFixed(1)} ${rating}, ${open.length} of ${tests.length} tests are not good`,
    ...open.flatMap(({ id, exposure: share, description, improve, mayBreak }) => [
      `${strong(id)} ${faint(`(${share?.toFixed(1)})`)} ${description}`,
      ...(improve === undefined ? [] : [`    write      ${improve.directive}=${improve.value}`]),
      `    may break  ${mayBreak}`,
    ]),
  ];
}

function scoreTable(exposures: readonly Exposure[], { style }: Terminal): string[] {
  const paint = (exposure: number): Paint =>
    exposure <= 2.5 ? style.good : exposure < 7.5 ? style.warning : style.bad;
  return tableLines([
    ["UNIT", "EXPOSURE", "RATING", "WORST TESTS"].map(style.faint),
    ...exposures.map(({ unit, exposure, rating, tests }) => [
      unit,
      paint(exposure)(exposure.toFixed(1).padStart(8)),
      rating,
      [...tests]
        .filter((test) => test.exposure !== null)
        .sort((a, b) => (b.exposure ?? 0) - (a.exposure ?? 0))
        .slice(0, 3)
        .map((test) => test.id)
        .join(" "),
    ]),
  ]);
}
