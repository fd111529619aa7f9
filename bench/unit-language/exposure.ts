// exposureOf against `systemd-analyze security --offline=yes` of 252 and 257: every service that Debian 12 and 13 ship, and
// random sandboxes; the score with its rating, and set, badness, range, weight and share of every test (of units that the tool scores).
import type { SandboxHost } from "../../sandbox/host.ts";
import { systemdVersion } from "../../sandbox/release.ts";
import { exposureOf } from "../../systemd/exposure.ts";
import { parseUnitFile } from "../../systemd/unit-file.ts";
import { hostCommandResults, writeHostFiles } from "./host-commands.ts";
import { compared, isScript, joined, type Measurement, onHosts, printedMeasurement } from "./measurement.ts";
import { randomSandboxes } from "./random-sandbox.ts";
import { servicesOf, shippedUnits } from "./shipped-units.ts";

const folder = "/run/oracle-units";

const refusedUnit =
  "this systemd refuses the whole unit, so its tool gives no score; ours does, from the lines that count";

interface ToolTest {
  /** null: the test does not apply, and the badness is 2^64 - 1. */
  readonly set: boolean | null;
  readonly name: string;
  readonly weight: number;
  readonly badness: number | null;
  readonly range: number;
  readonly exposure: string | null;
}

/** A service file, with the name that it has in a list of mismatches. */
export interface ScoredFile {
  readonly title: string;
  /** Unit name; the file of a template is scored as one of its instances. */
  readonly name: string;
  readonly text: string;
}

/** Compares scores and tests of service files with what the tool of a host says. */
export async function exposureMeasurement(
  host: SandboxHost,
  what: string,
  files: readonly ScoredFile[],
): Promise<Measurement> {
  const systemd = systemdVersion[host.release];
  // Each file has a folder of its own as the unit path, so that neither drop-ins nor other units of the host count.
  const paths = files.map(({ name }, index) => `${folder}/${index}/${name}`);
  await host.output(`rm -rf ${folder}`);
  await writeHostFiles(host, Object.fromEntries(files.map(({ text }, index) => [paths[index]!, text])));
  const commands = paths.flatMap((path, index) => {
    const env = { SYSTEMD_UNIT_PATH: `${folder}/${index}`, SYSTEMD_ANALYZE_DEBUG: "1" };
    const security = ["systemd-analyze", "security", "--offline=yes", "--no-pager"];
    return [
      { command: [...security, path], env },
      { command: [...security, "--json=short", path], env },
    ];
  });
  const results = await hostCommandResults(host, commands);
  const cases = files.map(({ title, name, text }, index) => {
    const [human, json] = [results[2 * index]!, results[2 * index + 1]!];
    const [, exposure, rating] = /exposure level for .*: (\S+) (\w+)/.exec(human.stdout) ?? [];
    const theirs: ToolTest[] = json.stdout.trim() === "" ? [] : JSON.parse(json.stdout);
    const ours = exposureOf(name, parseUnitFile(text), { systemd });
    const refusal = /^Unit \S+ has a bad unit file setting\.$/m.test(human.stderr);
    return {
      score: {
        input: title,
        ours: `${ours.exposure.toFixed(1)} ${ours.rating}`,
        theirs: exposure === undefined ? `no score: ${human.stderr.trim()}` : `${exposure} ${rating}`,
        ...(refusal ? { reason: refusedUnit } : {}),
      },
      tests: (refusal ? [] : ours.tests).map((test) => {
        const their = theirs.find((candidate) => candidate.name === test.id);
        const share = test.exposure === null ? null : test.exposure.toFixed(1);
        return {
          input: `${title}: ${test.id}`,
          ours: [test.set, test.badness, test.range, test.weight, share],
          theirs:
            their === undefined
              ? null
              : [
                  their.set,
                  their.set === null ? null : their.badness,
                  their.range,
                  their.weight,
                  their.exposure ?? null,
                ],
        };
      }),
      missing: theirs.filter(({ name }) => !ours.tests.some(({ id }) => id === name)).map(({ name }) => name),
    };
  });
  return joined([
    compared(
      `${what}: scores`,
      systemd,
      cases.map(({ score }) => score),
    ),
    compared(
      `${what}: tests`,
      systemd,
      cases.flatMap(({ tests }) => tests),
    ),
    {
      rows: [],
      mismatches: [],
      notes: cases.some(({ missing }) => missing.length > 0)
        ? [
            `systemd ${systemd} has tests that are not in the table: ${[...new Set(cases.flatMap(({ missing }) => missing))]}`,
          ]
        : [],
    },
  ]);
}

/** The services that a host's packages brought, as they are scored. */
export async function shippedServices(host: SandboxHost): Promise<readonly ScoredFile[]> {
  return [...servicesOf(await shippedUnits(host))].map(([path, text]) => ({
    title: `${host.release} ${path}`,
    name: path,
    text,
  }));
}

/** Random sandboxes, as they are scored. */
export function sandboxFiles(draw: { readonly seed: number; readonly count: number }): readonly ScoredFile[] {
  return randomSandboxes(draw).map((text) => ({ title: text, name: "sandbox.service", text }));
}

if (isScript(import.meta.filename)) {
  await printedMeasurement(500, (draw) =>
    onHosts(["bookworm", "trixie"], async (hosts) => {
      const shipped = await Promise.all(hosts.map(shippedServices));
      const all: Measurement[] = [];
      for (const host of hosts) {
        for (const [index, files] of shipped.entries()) {
          all.push(await exposureMeasurement(host, `services of Debian ${12 + index}`, files));
        }
        all.push(await exposureMeasurement(host, "random sandboxes", sandboxFiles(draw)));
      }
      return joined(all);
    }),
  );
}
