import { type ExposureOptions, exposureOf } from "../exposure.ts";
import type { UnitFile } from "../unit-file.ts";

/** One line for [Service] that lowers the score. */
export interface SuggestedDirective {
  readonly directive: string;
  readonly value: string;
  /** Score with this line and those before it. */
  readonly exposure: number;
  /** What may stop working, and the way out. */
  readonly mayBreak: string;
}

/** A small set of lines that brings a service's score down. */
export interface Suggestion {
  /** Score with all of them. Above the target where directives alone cannot reach it. */
  readonly reached: number;
  readonly directives: readonly SuggestedDirective[];
}

/** For directives that one value closes at once, the value in place of one line for each test. */
const strongest: Readonly<Record<string, { readonly value: string; readonly mayBreak: string }>> = {
  CapabilityBoundingSet: {
    value: "",
    mayBreak: "all that needs a capability: ports below 1024 (use a socket unit), chown, a start as root",
  },
  RestrictAddressFamilies: {
    value: "AF_UNIX AF_INET AF_INET6",
    mayBreak: "AF_NETLINK: psutil.net_if_addrs(), socket.if_nameindex(); AF_PACKET, AF_VSOCK, AF_BLUETOOTH, AF_ALG",
  },
  RestrictNamespaces: {
    value: "yes",
    mayBreak: "bubblewrap, rootless containers, the sandbox of Chromium (playwright, selenium)",
  },
  SystemCallFilter: {
    value: "@system-service",
    mayBreak: "debuggers, mounts, clocks, kernel modules, and what else is no ordinary service's",
  },
};

/**
 * The smallest set of directives that brings a service to a wanted score: the ones that gain most, first, then without
 * those that the others made needless.
 * @param target wanted score, 0.0 to 10.0
 */
export function suggestedDirectives(
  unitName: string,
  file: UnitFile,
  target: number,
  options: ExposureOptions = {},
): Suggestion {
  const scoreWith = (lines: readonly Line[]) => exposureOf(unitName, withLines(file, lines), options);
  let chosen: Line[] = [];
  for (;;) {
    const now = scoreWith(chosen);
    if (now.exposure <= target) break;
    const badness = contribution(now.tests);
    const gains = candidates(now.tests, chosen)
      .map((line) => ({ line, gain: badness - contribution(scoreWith([...chosen, line]).tests) }))
      .sort((a, b) => b.gain - a.gain);
    const best = gains[0];
    if (best === undefined || best.gain <= 0) break;
    chosen = [...chosen, best.line];
  }
  const reached = scoreWith(chosen).exposure;
  for (const line of [...chosen].reverse()) {
    const without = chosen.filter((other) => other !== line);
    if (scoreWith(without).exposure <= Math.max(target, reached)) chosen = without;
  }
  return {
    reached: scoreWith(chosen).exposure,
    directives: chosen.map((line, index) => ({
      directive: line.directive,
      value: line.value,
      exposure: scoreWith(chosen.slice(0, index + 1)).exposure,
      mayBreak: line.mayBreak,
    })),
  };
}

interface Line {
  readonly directive: string;
  readonly value: string;
  readonly mayBreak: string;
}

type Tests = ReturnType<typeof exposureOf>["tests"];

/** The sum that the score is made of, before it is rounded to one decimal. */
function contribution(tests: Tests): number {
  let badness = 0;
  let weight = 0;
  for (const test of tests) {
    if (test.badness === null) continue;
    badness += Math.ceil((test.badness * test.weight) / test.range);
    weight += test.weight;
  }
  return badness / weight;
}

function candidates(tests: Tests, chosen: readonly Line[]): Line[] {
  const lines = new Map<string, Line>();
  for (const { improve, mayBreak = "" } of tests) {
    if (improve === undefined) continue;
    const { directive, value } = improve;
    const strong = strongest[directive];
    lines.set(`${directive}=${value}`, { directive, value, mayBreak });
    if (strong === undefined || strong.value === value) continue;
    lines.set(`${directive}=${strong.value}`, { directive, ...strong });
  }
  return [...lines.values()].filter(
    ({ directive, value }) => !chosen.some((line) => line.directive === directive && line.value === value),
  );
}

function withLines(file: UnitFile, lines: readonly Line[]): UnitFile {
  if (lines.length === 0) return file;
  const entries = lines.map(({ directive, value }) => ({ key: directive, value }));
  return { sections: [...file.sections, { name: "Service", entries }] };
}
