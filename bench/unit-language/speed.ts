// 1,000 units in one run of pulumi-systemd, next to the real tool of systemd 252 on the same files: `score` next to
// `systemd-analyze security --offline=yes` (once per unit: it takes the tests of one) and `lint` next to
// `systemd-analyze verify` (once per unit, and with all files on one command line, which is its best case).
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SandboxHost } from "../../sandbox/host.ts";
import { commandResult } from "../../setup/command.ts";
import { exposureOf } from "../../systemd/exposure.ts";
import { lintUnitTexts } from "../../systemd/lints/lint-units.ts";
import { parseUnitFile } from "../../systemd/unit-file.ts";
import { unitFileProblems } from "../../systemd/validate.ts";
import { shippedServices } from "./exposure.ts";
import { hostPython, writeHostFiles } from "./host-commands.ts";
import { drawOptions, onHosts } from "./measurement.ts";
import { randomSandboxes } from "./random-sandbox.ts";

const folder = "/run/oracle-speed";
const rounds = 5;

/** One way to do all the units, with the seconds of each round. */
interface Timed {
  readonly what: string;
  readonly systemdAnalyze: boolean;
  readonly seconds: readonly number[];
}

const timer = `
import json, os, subprocess, sys, time
jobs = json.load(sys.stdin)
started = time.monotonic()
for command in jobs:
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(json.dumps(time.monotonic() - started))
`;

const { seed, count, json } = drawOptions(1000);
const timed = await onHosts(["bookworm"], async ([host]) => {
  const shipped = (await shippedServices(host!)).map(({ text }) => text);
  // Half of the units as Debian ships them, half random sandboxes.
  const texts = randomSandboxes({ seed, count }).map((text, index) =>
    index % 2 === 0 ? shipped[(index / 2) % shipped.length]! : text,
  );
  return timedOn(host!, texts);
});
const medians = timed.map(({ what, seconds, systemdAnalyze }) => ({ what, systemdAnalyze, median: median(seconds) }));
const report = { seed, count, rounds, timed, medians };
process.stdout.write(json ? `${JSON.stringify(report, undefined, 2)}\n` : reportText());

async function timedOn(host: SandboxHost, texts: readonly string[]): Promise<readonly Timed[]> {
  const own = mkdtempSync(join(tmpdir(), "pulumi-systemd-speed-"));
  try {
    const names = texts.map((_, index) => `unit-${String(index).padStart(4, "0")}.service`);
    names.forEach((name, index) => {
      writeFileSync(join(own, name), texts[index]!);
    });
    await writeHostFiles(host, Object.fromEntries(names.map((name, index) => [`${folder}/${name}`, texts[index]!])));
    const inside = names.map((name) => `${folder}/${name}`);
    const ways: Record<string, { readonly systemdAnalyze: boolean; readonly run: () => Promise<number> }> = {
      "score: library, parse and score": ours(() => {
        for (const [index, text] of texts.entries()) exposureOf(names[index]!, parseUnitFile(text), { systemd: 252 });
      }),
      "score: pulumi-systemd score --json, all files": command("score", own, names),
      "score: systemd-analyze security, once per file": theirs(
        host,
        inside.map((path) => ["systemd-analyze", "security", "--offline=yes", "--json=short", path]),
      ),
      "lint: library, parse and validate": ours(() => {
        for (const [index, text] of texts.entries()) {
          unitFileProblems(names[index]!, parseUnitFile(text), { systemd: 252 });
        }
      }),
      "lint: library, parse, validate and all lints": ours(() => {
        lintUnitTexts(
          texts.map((text, index) => ({ name: names[index]!, text })),
          { systemd: 252 },
        );
      }),
      ...(existsSync(join(import.meta.dirname, "..", "..", "cli", "lint.ts"))
        ? { "lint: pulumi-systemd lint --json, all files": command("lint", own, names) }
        : {}),
      "lint: systemd-analyze verify, once per file": theirs(
        host,
        inside.map((path) => ["systemd-analyze", "verify", "--man=no", path]),
      ),
      "lint: systemd-analyze verify, all files at once": theirs(host, [
        ["systemd-analyze", "verify", "--man=no", ...inside],
      ]),
    };
    const seconds = Object.fromEntries(Object.keys(ways).map((what) => [what, [] as number[]]));
    // Every way once per round, so that what else the machine does meets all of them.
    for (let round = 0; round < rounds; round += 1) {
      for (const [what, { run, systemdAnalyze }] of Object.entries(ways)) {
        // Once per file takes half a minute: two rounds of it are enough for a median of a thousand runs each.
        if (systemdAnalyze && what.endsWith("once per file") && round >= 2) continue;
        seconds[what]!.push(await run());
      }
    }
    return Object.entries(ways).map(([what, { systemdAnalyze }]) => ({
      what,
      systemdAnalyze,
      seconds: seconds[what]!,
    }));
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

function ours(work: () => void) {
  return {
    systemdAnalyze: false,
    run: async () => {
      const started = performance.now();
      work();
      return (performance.now() - started) / 1000;
    },
  };
}

function command(name: string, cwd: string, files: readonly string[]) {
  const main = join(import.meta.dirname, "..", "..", "cli", "main.ts");
  return {
    systemdAnalyze: false,
    run: async () => {
      const started = performance.now();
      const { code, stdout, stderr } = await commandResult([process.execPath, main, name, "--json", ...files], { cwd });
      const seconds = (performance.now() - started) / 1000;
      if (code > 1 || !stdout.startsWith("[")) throw new Error(`pulumi-systemd ${name} ended with ${code}: ${stderr}`);
      return seconds;
    },
  };
}

function theirs(host: SandboxHost, commands: readonly (readonly string[])[]) {
  return { systemdAnalyze: true, run: () => hostPython<number>(host, timer, commands) };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function reportText(): string {
  const lines = medians.map(({ what, systemdAnalyze, median }) => {
    const [kind] = what.split(":");
    const real = medians.find((other) => other.what.startsWith(`${kind}:`) && other.what.endsWith("once per file"))!;
    const ratio = systemdAnalyze ? "" : `${(real.median / median).toFixed(0)} times as fast as once per file`;
    const each = (1000 * median) / count;
    return `${what.padEnd(50)} ${median.toFixed(3).padStart(8)} s  ${each.toFixed(3).padStart(8)} ms a unit  ${ratio}`.trimEnd();
  });
  return [`seed ${seed}, ${count} units, medians of ${rounds} rounds (once per file: 2)`, ...lines, ""].join("\n");
}
